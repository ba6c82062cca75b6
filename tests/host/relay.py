"""A relay between the host's clients and a machine on QEMU's network, for many connections at once.

QEMU tells the machine the client's port as it is on the host, and each port of the host that leads inside has a queue
for two connections only, where the host doesn't let tools/run make it longer. So two clients of different ports could
look like one inside, and a third at the same one would have to call again a second later. The relay calls from ports
that are used once, at all of the ports in turn.
It calls when its client has spoken: ab keeps connections in hand on which it says nothing, and a server that serves
one client at a time would wait for those.
"""

import asyncio
import contextlib
import itertools
import random
import threading


class Relay:
    """Connections to .port go on to one of PORTS."""

    def __init__(self, ports):
        self.targets = itertools.cycle(ports)
        # Below those that Linux chooses from.
        first = random.randrange(10000, 32000)
        self.sources = itertools.chain(range(first, 32000), range(10000, first))
        self.loop = asyncio.new_event_loop()
        self.started = threading.Event()
        self.port = self.stop = None

    def __enter__(self):
        self.thread = threading.Thread(target=self.loop.run_until_complete, args=(self.serve(),))
        self.thread.start()
        self.started.wait()
        return self

    def __exit__(self, *_):
        self.loop.call_soon_threadsafe(self.stop.set)
        self.thread.join()

    async def serve(self):
        self.stop = asyncio.Event()
        server = await asyncio.start_server(self.carry, "127.0.0.1", 0, backlog=1024)
        self.port = server.sockets[0].getsockname()[1]
        self.started.set()
        await self.stop.wait()
        server.close()
        # Whose machine has ended says so; who is silent is left to the loop's end.
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        if rest:
            await asyncio.wait(rest, timeout=1)

    async def call(self):
        while True:
            try:
                return await asyncio.open_connection("127.0.0.1", next(self.targets),
                                                     local_addr=("127.0.0.1", next(self.sources)))
            except OSError as error:
                if "address already in use" not in str(error):
                    raise

    async def carry(self, reader, writer):
        first = await reader.read(1 << 16)
        if not first:
            writer.close()
            return
        there_reader, there_writer = await self.call()
        there_writer.write(first)
        await asyncio.gather(self.pass_on(reader, there_writer), self.pass_on(there_reader, writer))
        there_writer.close()
        writer.close()

    @staticmethod
    async def pass_on(reader, writer):
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(1 << 16):
                writer.write(data)
                await writer.drain()
            writer.write_eof()
