"""Callers' messages: kept on the disk before the caller is told so, delivered once the call is over.

doer --LeaveMessage--> CallMessages --Entry--> Outbox (a file each) --> Postman --> folder, command,
call thread --end of call--^                                                        webhook, e-mail
"""
