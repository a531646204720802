"""verified.py RIGS COMMAND...: opens the cockpit, passes step 1 by its key, and leaves it. The next cockpit attaches."""

import re
import sys

sys.path.insert(0, sys.argv[1])
import tui_meter as tm  # noqa: E402

tui = tm.Tui(sys.argv[2:])


def wait(what, limit=60):
    """Until the terminal was sent it since the last key."""
    seen, end = b"", tm.now() + limit
    while tm.now() < end:
        chunk = tui.read_once(0.2)
        if chunk is None:
            break
        seen += chunk
        if re.search(what, seen):
            return
    sys.exit(f"waited in vain for {what!r} in {seen[-2000:]!r}")


wait(rb"ready")
tui.send(b"1")
wait(rb"PASS")
tui.send(b"q")
tui.wait(10)
