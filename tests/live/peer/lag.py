"""lag.py RIGS COUNT PORT -- COMMAND: how old is what the cockpit's pods pane shows? Sets the state of one pod of
fake_kube.py, COUNT times at random moments, and times until the word is on the terminal. The pane is filtered by the pod's
name first: among thousands of pods that crash it would not be on screen."""

import json
import os
import random
import sys
import urllib.request

sys.path.insert(0, sys.argv[1])
import tui_meter as tm  # noqa: E402

count, port = int(sys.argv[2]), int(sys.argv[3])
# No cell in common between neighbours, so that a renderer of differences writes each word whole.
WORDS = ["QQQQQQQQQQQQ", "ZZZZZZZZZZZZ", "WWWWWWWWWWWW", "KKKKKKKKKKKK"]


def get(path):
    return urllib.request.urlopen(f"http://127.0.0.1:{port}{path}").read()


pod = json.loads(get("/api/v1/pods?limit=1"))["items"][0]["metadata"]
tui = tm.Tui(sys.argv[5:])
tui.run_for(float(os.environ.get("SETTLE", 6)))
for key in ("P", "f", pod["name"], "\r"):
    tui.send(key.encode())
    tui.run_for(0.5)
lags, missed = [], 0
for number in range(count):
    tui.run_for(random.uniform(0.2, 1.4))
    word = WORDS[number % len(WORDS)]
    get(f"/_ctl/set?pod={pod['name']}&ns={pod['namespace']}&state={word}")
    began, seen, lag = tm.now(), b"", None
    while tm.now() - began < 5 and lag is None:
        chunk = tui.read_once(0.05)
        if chunk is None:
            break
        seen = seen[-4000:] + chunk
        if word.encode() in seen:
            lag = tm.now() - began
    if lag is None:
        missed += 1
    else:
        lags.append(lag)
print(json.dumps({"name": "relight", "lag_ms": tm.dist(lags, 1000, 1), "missed": missed}))
tui.kill()
