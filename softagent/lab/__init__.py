"""The built-in test PBX and scripted caller behind `demo` and `bench`."""
