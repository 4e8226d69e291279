"""From a camera or a video to steady labels: frames, faces that are followed, events and outputs.

`reader` takes frames from a source (`sources`), the newest one of whatever is live and every one of
a file. `pipeline` turns a frame into an `observation`: the faces in it, each with an id, the
prediction of this frame and the steady one. `loop` hands observations and events to the outputs
(`outputs`); none of them can stop the others.
"""
