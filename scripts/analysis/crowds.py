"""Connections without a key to a port, for scripts/security-check."""

import os
import socket
import sys
import time

# How much more a role may hold after the crowd than before, MiB and descriptors.
MEMORY_ALLOWANCE = 100
DESCRIPTOR_ALLOWANCE = 16

# ZeroMQ's greeting with CURVE: all that a peer can send without a key.
GREETING = b"\xff" + bytes(7) + b"\x01\x7f\x03\x01" + b"CURVE" + bytes(47)
# The head of a frame of 250 MiB.
FRAME = b"\x06" + (250 << 20).to_bytes(8, "big")


def connect(port):
    """A connection; None if it is refused."""
    try:
        return socket.create_connection(("127.0.0.1", port), 2)
    except OSError:
        return None


def idle(ports, count):
    """Opens connections to each port and sends nothing."""
    held = [connect(port) for _ in range(count) for port in ports]
    return [connection for connection in held if connection]


def frame(port, size):
    """Announces a frame of 250 MiB and sends as much of it as is taken, `size` bytes at most.

    Returns how much was taken, by the other side or by the system between."""
    connection = connect(port)
    if not connection:
        return 0
    taken = 0
    block = bytes(1 << 20)
    with connection:
        connection.settimeout(2)
        try:
            connection.sendall(GREETING + FRAME)
            while taken < size:
                taken += connection.send(block)
        except OSError:
            pass
    return taken


def trickle(ports, count):
    """Connections that send only what a peer can send without a key."""
    held = idle(ports, count)
    for connection in held:
        try:
            connection.sendall(GREETING)
        except OSError:
            pass
    return held


def usage(process):
    """Open descriptors and resident MiB of a process; None if it has ended."""
    try:
        with open(f"/proc/{process}/status") as file:
            lines = dict(line.split(":", 1) for line in file if ":" in line)
        return (len(os.listdir(f"/proc/{process}/fd")),
                int(lines["VmRSS"].split()[0]) / 1024)
    except (OSError, KeyError):
        return None


class Crowd:
    """Unknown peers of every kind at some ports, until a time."""

    def __init__(self, ports):
        self.ports = ports
        self.connections = 0
        self.frames = 0
        self.mebibytes = 0.0

    def knock(self, count):
        """One round; all connections are closed at its end."""
        held = idle(self.ports, count) + trickle(self.ports, count // 10)
        self.connections += len(held)
        for port in self.ports:
            for _ in range(4):
                self.mebibytes += frame(port, 250 << 20) / (1 << 20)
                self.frames += 1
        time.sleep(3)
        for connection in held:
            connection.close()
        time.sleep(1)


def main():
    """crowds.py PORT,PORT PROCESS,PROCESS: one crowd; 1 if it left something behind."""
    ports, processes = ([int(word) for word in text.split(",")] for text in sys.argv[1:3])
    crowd = Crowd(ports)
    before = [usage(process) for process in processes]
    crowd.knock(1500)
    # By then libzmq has closed silent connections.
    time.sleep(7)
    failures = 0
    print(f"{crowd.connections} connections that stayed, {crowd.frames} frames of 250 MiB, of which "
          f"{crowd.mebibytes:.0f} MiB were taken")
    for process, first in zip(processes, before):
        last = usage(process)
        if not first or not last:
            print(f"process {process} has ended")
            failures += 1
            continue
        print(f"process {process}: {first[0]} descriptors and {first[1]:.0f} MiB before, "
              f"{last[0]} and {last[1]:.0f} after")
        failures += last[0] > first[0] + DESCRIPTOR_ALLOWANCE
        failures += last[1] > first[1] + MEMORY_ALLOWANCE
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
