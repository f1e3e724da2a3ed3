#!/usr/bin/env python3
"""A venue that misbehaves on command: sends its price to every client, a quote each 50 ms.

    feed_server.py [PORT]       without one the system chooses

The first line of the output is the port; then comes "connected" for each connection.

Commands, one a line of the input:
    BID ASK     another price from now on (at first there is none, and nothing is sent)
    garbage     a line that is no quote
    gap         leaves one number out
    silence     sends nothing more on the present connections
    hang_up     closes them
"""

from __future__ import annotations

import asyncio
import sys


class Connection:
    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self.number = 0
        self.silent = False

    def say(self, text: str) -> None:
        if not self.silent:
            self.writer.write(text.encode() + b"\n")

    def quote(self, price: str) -> None:
        self.number += 1
        self.say(f"{self.number} EURUSD {price}")


class Venue:
    def __init__(self) -> None:
        self.price = ""
        self.connections: set[Connection] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(writer)
        self.connections.add(connection)
        print("connected", flush=True)
        await reader.read()  # until the other side goes
        self.connections.discard(connection)
        writer.close()

    async def tick(self) -> None:
        while True:
            for connection in self.connections if self.price else ():
                connection.quote(self.price)
            await asyncio.sleep(0.05)

    def obey(self, command: str) -> None:
        for connection in self.connections:
            if command == "garbage":
                connection.say("mind the gap")
            elif command == "gap":
                connection.number += 1
            elif command == "silence":
                connection.silent = True
            elif command == "hang_up":
                connection.silent = True
                connection.writer.close()
        if command[:1].isdigit():
            self.price = command


async def main() -> None:
    venue = Venue()
    server = await asyncio.start_server(venue.serve, "127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    ticking = asyncio.create_task(venue.tick())
    while command := await asyncio.to_thread(sys.stdin.readline):
        venue.obey(command.strip())
    ticking.cancel()


if __name__ == "__main__":
    asyncio.run(main())
