"""crowd.py FOLDER CACHE PODS UPDATES: a real API server with so many pods in namespace `default`, played by KWOK, of which so
many change their state a second. `FOLDER/kubeconfig` has the context `crowd`. Says `ready` and goes on until it is ended.

CACHE is where tests/live/install/kubernetes has put etcd, kube-apiserver and KWOK. No scheduler and no controllers: the
pods are bound to their nodes from the start.
"""

import concurrent.futures
import http.client
import json
import os
import random
import signal
import ssl
import subprocess
import sys
import threading
import time

folder, cache, pods, updates = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
ADDRESS = "127.40.9.1"
TOKEN = "opens-nothing-outside-loopback"
children = []
local = threading.local()


def start(name, program, *args):
    log = open(os.path.join(folder, name + ".log"), "w")
    children.append(subprocess.Popen([program, *args], stdout=log, stderr=log))


def leave(*_):
    for child in reversed(children):
        child.kill()
    os._exit(0)


def ask(method, path, body=None, kind="application/json"):
    """One request on this thread's own connection; the body, or None if there is no such server yet."""
    for _ in range(2):
        try:
            if not getattr(local, "wire", None):
                # Nothing but this machine is behind the address, and its certificate is made anew each time.
                context = ssl._create_unverified_context()
                local.wire = http.client.HTTPSConnection(ADDRESS, 6443, context=context, timeout=30)
            headers = {"Authorization": "Bearer " + TOKEN, "Content-Type": kind}
            local.wire.request(method, path, body and json.dumps(body), headers)
            answer = local.wire.getresponse()
            text = answer.read()
            return json.loads(text) if answer.status < 300 and text.startswith(b"{") else text if answer.status < 300 else None
        except OSError:
            local.wire = None
    return None


def until(what, look):
    end = time.monotonic() + 300
    while time.monotonic() < end:
        if look():
            return
        time.sleep(0.1)
    print("waited in vain for", what, flush=True)
    leave()


def node(number):
    room = {"cpu": "64", "memory": "256Gi", "pods": "400"}
    ask("POST", "/api/v1/nodes", {
        "metadata": {"name": f"node-{number:02d}", "annotations": {"kwok.x-k8s.io/node": "fake"}},
        "status": {"allocatable": room, "capacity": room}})


def pod(number):
    name = f"svc-{number // 5:04d}-6d4cf56db6-{number:05x}"
    container = {"name": "app", "image": "registry.example.test/app:v1.2.3", "env": [
        {"name": f"SETTING_{at}", "value": "x" * 24} for at in range(12)]}
    ask("POST", "/api/v1/namespaces/default/pods", {
        "metadata": {"name": name, "labels": {"app.kubernetes.io/instance": "teleport-cluster"}},
        "spec": {"nodeName": f"node-{number % 30:02d}", "containers": [container]}})
    return name


def flip(name, crashed, restarts):
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 5m0s"}} if crashed else {"running": {"startedAt": now}}
    ask("PATCH", f"/api/v1/namespaces/default/pods/{name}/status", {"status": {"containerStatuses": [{
        "name": "app", "image": "registry.example.test/app:v1.2.3", "imageID": "", "ready": not crashed, "started": not crashed,
        "restartCount": restarts, "state": state}]}}, "application/merge-patch+json")


for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, leave)
os.makedirs(folder, exist_ok=True)
subprocess.run(["openssl", "genrsa", "-out", f"{folder}/accounts.key", "2048"], check=True, capture_output=True)
with open(f"{folder}/tokens.csv", "w") as file:
    file.write(f'{TOKEN},admin,admin,"system:masters"\n')
with open(f"{folder}/kubeconfig", "w") as file:
    json.dump({
        "apiVersion": "v1", "kind": "Config", "current-context": "crowd",
        "clusters": [{"name": "crowd", "cluster": {"server": f"https://{ADDRESS}:6443", "insecure-skip-tls-verify": True}}],
        "users": [{"name": "crowd", "user": {"token": TOKEN}}],
        "contexts": [{"name": "crowd", "context": {"cluster": "crowd", "user": "crowd", "namespace": "default"}}]}, file)
store = f"http://{ADDRESS}:2379"
start("etcd", f"{cache}/kubernetes/bin/etcd", "--data-dir", f"{folder}/etcd", "--listen-client-urls", store,
      "--advertise-client-urls", store, "--listen-peer-urls", f"http://{ADDRESS}:2380", "--initial-advertise-peer-urls",
      f"http://{ADDRESS}:2380", "--initial-cluster", f"default=http://{ADDRESS}:2380", "--unsafe-no-fsync", "--log-level", "warn")
start("kube-apiserver", f"{cache}/kubernetes/bin/kube-apiserver", "--etcd-servers", store, "--bind-address", ADDRESS,
      "--advertise-address", ADDRESS, "--endpoint-reconciler-type", "none", "--secure-port", "6443", "--cert-dir", folder,
      "--token-auth-file", f"{folder}/tokens.csv", "--service-account-key-file", f"{folder}/accounts.key",
      "--service-account-signing-key-file", f"{folder}/accounts.key", "--service-account-issuer",
      "https://kubernetes.default.svc", "--service-cluster-ip-range", "10.149.0.0/16", "--authorization-mode", "RBAC",
      "--disable-admission-plugins", "ServiceAccount,TaintNodesByCondition", "--max-requests-inflight", "2000")
until("the API server", lambda: ask("GET", "/readyz"))
until("the namespace", lambda: ask("GET", "/api/v1/namespaces/default"))
stages = f"{cache}/kwok/stage"
start("kwok", f"{cache}/kwok/bin/kwok", "--kubeconfig", f"{folder}/kubeconfig", "--manage-all-nodes=true",
      "--node-lease-duration-seconds", "40", *(f"--config={stages}/{one}" for one in (
          "node/fast/node-initialize.yaml", "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
          "pod/fast/pod-ready.yaml", "pod/fast/pod-complete.yaml", "pod/fast/pod-delete.yaml")))
with concurrent.futures.ThreadPoolExecutor(8) as hands:
    list(hands.map(node, range(30)))
    names = list(hands.map(pod, range(pods)))
    until("every pod to run", lambda: not (ask(
        "GET", "/api/v1/pods?limit=1&fieldSelector=status.phase%21%3DRunning") or {"items": [0]})["items"])
    print("ready", flush=True)
    crashed, restarts, due, last = set(), {}, 0.0, time.monotonic()
    while True:
        time.sleep(0.02)
        now = time.monotonic()
        due, last = due + (now - last) * updates, now
        while due >= 1:
            due -= 1
            name = random.choice(names)
            crashed ^= {name}
            restarts[name] = restarts.get(name, 0) + 1
            hands.submit(flip, name, name in crashed, restarts[name])
