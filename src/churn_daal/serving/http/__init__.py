"""HTTP/1.1 on an event loop, for a WSGI app: a worker class of gunicorn's.

Bytes come and go without a thread, so that slow and half-open clients hold nothing but a socket;
what is quick is answered in the loop itself, everything else in a pool of threads.
"""
