"""A wire that takes its time: frames between two taps, each a while after it came. The kernel's own (netem) is not in every kernel.

    host-wire.py FIRST SECOND DELAY_SECONDS      in the network namespace that the taps are to be in
"""
import collections
import fcntl
import os
import select
import struct
import sys
import time

TUNSETIFF = 0x400454CA
IFF_TAP = 0x0002
IFF_NO_PI = 0x1000
# As long as a network card's queue: what comes beyond is lost, as there.
FRAMES_MAX = 10_000


def tap(name):
    file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP | IFF_NO_PI))
    return file


first, second = tap(sys.argv[1]), tap(sys.argv[2])
other = {first: second, second: first}
delay = float(sys.argv[3])
frames = collections.deque()
print("ready", flush=True)
while True:
    wait = max(0, frames[0][0] - time.monotonic()) if frames else None
    for file in select.select([first, second], [], [], wait)[0]:
        try:
            frame = os.read(file, 65536)
        except BlockingIOError:
            continue
        if len(frames) < FRAMES_MAX:
            frames.append((time.monotonic() + delay, other[file], frame))
    while frames and frames[0][0] <= time.monotonic():
        _, file, frame = frames.popleft()
        try:
            os.write(file, frame)
        except OSError:
            pass  # The tap is down, or its queue full: the frame is lost, as on any wire.
