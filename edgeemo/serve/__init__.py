"""A page and an HTTP interface for a model, and for the live run of a camera.

`server` runs uvicorn in the main thread, `camera` the loop of `edgeemo.live` in another. `hub` is
the output of that loop: it keeps what was seen last, and wakes whoever waits for the next. `app`
joins the routes, behind `guard`, which lets in whom the options allow. `limits` bounds the memory,
the time and the clients. `web` is the one file that imports starlette, `uvicorn_server` the one
that imports uvicorn.
"""
