"""Count the instructions of one invoke of each file: `python invokes.py FILE...` prints JSON.

It runs on an emulated machine whose clock counts instructions (`emulation.system_mode`).
"""

import json
import sys
import time

import numpy as np
from ai_edge_litert.interpreter import Interpreter

WARM_UP, RUNS = 2, 3

counts = {}
for path in sys.argv[1:]:
    interpreter = Interpreter(model_path=path, num_threads=1)
    interpreter.allocate_tensors()
    source = interpreter.get_input_details()[0]
    noise = np.random.default_rng(0).integers(0, 256, source["shape"])
    interpreter.set_tensor(source["index"], noise.astype(source["dtype"]))
    taken = []
    for _ in range(WARM_UP + RUNS):
        start = time.perf_counter_ns()
        interpreter.invoke()
        taken.append(time.perf_counter_ns() - start)
    counts[path] = sorted(taken[WARM_UP:])[RUNS // 2]
print(json.dumps(counts))
