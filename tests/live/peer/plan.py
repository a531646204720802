"""plan.py PLAN KUBECONFIG CONTEXT NAMESPACE: the practice's plan with another cluster on its recovery side, for `peers`."""

import sys

plan, kubeconfig, context, namespace = sys.argv[1:]
section = ""
for line in open(plan):
    if line.startswith("["):
        section = line.strip()
    key = line.split("=")[0].strip()
    if section == "[recovery.kube]" and key in ("kubeconfig", "context", "uid"):
        # No pin: a stand-in has no kube-system.
        line = {"kubeconfig": f'kubeconfig = "{kubeconfig}"\n', "context": f'context = "{context}"\n', "uid": ""}[key]
    if section == "[cluster]" and key == "namespace":
        line = f'namespace = "{namespace}"\n'
    print(line, end="")
