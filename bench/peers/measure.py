"""measure.py COMMAND…: runs a command and prints what it took as one JSON line.

seconds          start of the process to its end
cpuSeconds       user and system time of the process and all its descendants
peakMemoryBytes  largest sum of resident sets over the process tree, sampled every 100 ms;
                 pages that two processes share count twice
exitCode, stdout, stderr (the last 4,000 characters)

Why not from Node: only wait4 knows the CPU time of a process that has ended.
"""

import json
import resource
import signal
import subprocess
import sys
import threading
import time

import psutil

# Walking the tree costs some milliseconds: more often would take the cores from who is measured.
SAMPLE_SECONDS = 0.1


def resident_bytes(process):
    total = 0
    for member in [process, *process.children(recursive=True)]:
        try:
            total += member.memory_info().rss
        except psutil.Error:
            pass  # It ended between listing and reading.
    return total


def sample(pid, peak, stop):
    try:
        process = psutil.Process(pid)
        while not stop.wait(SAMPLE_SECONDS):
            peak[0] = max(peak[0], resident_bytes(process))
    except psutil.Error:
        pass


def main(command):
    peak, stop = [0], threading.Event()
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def forward(signum, _frame):
        child.send_signal(signum)

    signal.signal(signal.SIGTERM, forward)
    signal.signal(signal.SIGINT, forward)
    sampler = threading.Thread(target=sample, args=(child.pid, peak, stop))
    sampler.start()
    stdout, stderr = child.communicate()
    seconds = time.perf_counter() - start
    stop.set()
    sampler.join()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    # The sampler may miss a short peak; the kernel's figure is exact, but of one process only.
    peak_bytes = max(peak[0], used.ru_maxrss * 1024)
    result = {
        "seconds": round(seconds, 3),
        "cpuSeconds": round(used.ru_utime + used.ru_stime, 2),
        "peakMemoryBytes": peak_bytes,
        "exitCode": child.returncode,
        "stdout": stdout[-4000:],
        "stderr": stderr[-4000:],
    }
    print(json.dumps(result))


main(sys.argv[1:])
