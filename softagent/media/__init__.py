"""Sound and packets: frames, codecs, RTP, playout, digits, recordings."""
