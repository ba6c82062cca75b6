"""Sockets of every family, and TCP's connections: states, windows, timers."""

import gdb

from kernel import (Broken, Command, address_of, arguments, at, constant_name, container, enum_name, errno_name,
                    list_nodes, list_of, number, pointer, read_word, seconds, symbol_at, table, tree_nodes, variable)
import files
import slabs
import stacks
import tasks

FAMILIES = {1: "unix", 2: "inet", 17: "packet"}
SHUTDOWNS = ("", "no more reading", "no more writing", "shut down")


def dotted(address):
    """An IPv4 address as it lies in memory, in network order."""
    return ".".join(str(byte) for byte in (int(address) & 0xFFFFFFFF).to_bytes(4, "little")) if address else "*"


def endpoint(address, port):
    return f"{dotted(int(address))}:{int(port) or '*'}"


def state_name(connection):
    return enum_name(connection["state"], "TCP_").replace("_", "-")


# --- sockets ------------------------------------------------------------------------------------------------


def socket_files():
    """Every open file that is a socket."""
    for address in slabs.objects_of("file"):
        file = at(address, "file")
        if files.is_socket(file):
            yield file


def unix_name(socket):
    if pointer(socket["name"]) == 0:
        return "-"
    name = socket["name"]
    data = bytes(int(name["addr"]["sun_path"][i]) & 0xFF for i in range(max(0, int(name["len"]) - 2)))
    shown = data.rstrip(b"\0") if data[:1] != b"\0" else b"@" + data[1:]
    return shown.decode(errors="backslashreplace") or "(unnamed)"


def describe_unix(common):
    socket = at(address_of(common), "unix_socket")
    state = enum_name(socket["state"], "UNIX_").lower()
    peer = pointer(socket["peer"])
    waits = f", {int(socket['npending'])} of {int(socket['backlog'])} wait for accept" if state == "listening" else ""
    return state, unix_name(socket), f"{peer:#x}" if peer else "-", f"{int(socket['messages'])} records{waits}"


def describe_inet(common):
    if symbol_at(pointer(common["ops"])) == "stream_ops":
        connection = at(address_of(common), "stream_socket")["c"]
        where = connection["entry"]["tuple"]
        waits = f"{int(connection['num_ready'])} of {int(connection['backlog'])} wait for accept" \
            if state_name(connection) == "LISTEN" else f"tcp {address_of(connection):#x}"
        return (state_name(connection), endpoint(where["local"], where["local_port"]),
                endpoint(where["remote"], where["remote_port"]), waits)
    socket = at(address_of(common), "inet_socket")
    waiting = sum(1 for _ in list_nodes(socket["d"]["packets"]))
    state = "connected" if int(socket["remote_port"]) else "bound" if int(socket["local_port"]) else "fresh"
    return (state, endpoint(socket["source"] or socket["bound"], socket["local_port"]),
            endpoint(socket["remote"], socket["remote_port"]),
            f"{waiting} packets, {int(socket['d']['dropped'])} dropped")


def describe_packet(common):
    socket = at(address_of(common), "datagram_socket")
    waiting = sum(1 for _ in list_nodes(socket["packets"]))
    return "open", "-", "-", f"{waiting} packets, {int(socket['dropped'])} dropped"


class Sockets(Command):
    """sockets: every socket: family, type, state, names, what waits in it, whose descriptor it is."""

    name = "sockets"

    def run(self, words):
        arguments(words, 0, 0, "sockets")
        owners = {}
        for proc in tasks.processes():
            if pointer(proc["fdtable"]):
                for fd, file, _ in files.table_of(proc):
                    owners.setdefault(address_of(file), []).append(f"{tasks.process_id(proc)}:{fd}")
        rows = []
        for file in socket_files():
            common = at(pointer(file["private"]), "socket")
            try:
                rows.append(self.row(common, " ".join(owners.get(address_of(file), ["-"]))))
            except Broken as error:
                print(f"socket {address_of(common):#x}: {error}")
        table(("struct socket", "FAMILY", "TYPE", "STATE", "LOCAL", "PEER", "BYTES", "DESCRIPTORS", "MORE"), rows)

    @staticmethod
    def row(common, holders):
        family = int(common["domain"])
        describe = {1: describe_unix, 2: describe_inet, 17: describe_packet}.get(family)
        state, local, peer, more = describe(common) if describe else ("?", "-", "-", "")
        notes = [more]
        if int(common["shutdown"]) & 3:
            notes.append(SHUTDOWNS[int(common["shutdown"]) & 3])
        if int(common["error"]):
            notes.append(f"error {errno_name(common['error'])}")
        kind = constant_name("abi/socket.h", "SOCK_", int(common["type"])).removeprefix("SOCK_").lower()
        return (f"{address_of(common):#x}", FAMILIES.get(family, family), kind, state, local, peer,
                int(common["rx"]["bytes"]), holders, ", ".join(note for note in notes if note))


# --- TCP ----------------------------------------------------------------------------------------------------


def entries(stack):
    """Every struct tcp_entry that stands in a table, once."""
    seen = set()
    for name, member in (("bound", "bound_link"), ("conns", "link")):
        buckets = stack[name]
        for i in range(buckets.type.range()[1] + 1):
            if pointer(buckets[i]["next"]) == address_of(buckets[i]):
                continue
            for entry in list_of(buckets[i], "tcp_entry", member):
                if address_of(entry) not in seen:
                    seen.add(address_of(entry))
                    yield entry


def timer_name(kind):
    for field in gdb.lookup_type("enum tcp_timer_kind").fields():
        if field.enumval == kind:
            return field.name.removeprefix("TCP_TIMER_").lower()
    return str(kind)


def timers_of(connection):
    """What will happen when nothing happens; times count from about now."""
    deadlines = connection["deadline"]
    for i in range(deadlines.type.range()[1] + 1):
        when = int(deadlines[i])
        if when:
            yield f"{timer_name(i)} in {when / 1e9 - stacks.now():.3f} s"


class Tcp(Command):
    """tcp [ADDR]: every connection, listener and TIME-WAIT; or all of one: windows, round trips, losses, timers."""

    name = "tcp"

    def run(self, words):
        arguments(words, 0, 1, "tcp [ADDR]")
        if words:
            self.show(self.connection(number(words[0])))
            return
        rows = []
        for entry in entries(variable("tcp_stack")):
            where = entry["tuple"]
            ends = (endpoint(where["local"], where["local_port"]), endpoint(where["remote"], where["remote_port"]))
            if bool(entry["is_time_wait"]):
                rest = at(address_of(entry), "tcp_timewait")
                rows.append((f"{address_of(entry):#x}", "TIME-WAIT", *ends, "", "", "",
                             f"ends in {int(rest['expires']) / 1e9 - stacks.now():.3f} s"))
                continue
            connection = at(address_of(entry), "tcp_conn")
            rows.append((f"{address_of(entry):#x}", state_name(connection), *ends, int(connection["send_bytes"]),
                         int(connection["rcv_unread"]), int(connection["cwnd"]), ", ".join(timers_of(connection))))
        table(("struct tcp_conn", "STATE", "LOCAL", "PEER", "TO SEND", "UNREAD", "CWND", "TIMERS"), rows)

    @staticmethod
    def connection(address):
        """A connection by its address, or by that of its socket."""
        found = slabs.object_at(address)
        if found and found[0] == "file":
            address = pointer(at(address, "file")["private"])
        offset = address_of(at(0, "stream_socket")["c"])
        common = at(address, "socket")
        try:
            if symbol_at(pointer(common["ops"])) == "stream_ops":
                return at(address + offset, "tcp_conn")
        except gdb.error:
            pass
        connection = at(address, "tcp_conn")
        if pointer(connection["stack"]) != address_of(variable("tcp_stack")):
            raise Broken(f"{address:#x} is no connection")
        return connection

    @staticmethod
    def show(c):
        get = lambda name: int(c[name])
        where = c["entry"]["tuple"]
        print(f"{address_of(c):#x} {state_name(c)}: {endpoint(where['local'], where['local_port'])} to "
              f"{endpoint(where['remote'], where['remote_port'])}, socket "
              f"{address_of(container(address_of(c), 'stream_socket', 'c')):#x}"
              + (f", error {errno_name(c['error'])}" if get("error") else ""))
        if state_name(c) == "LISTEN":
            print(f"    {get('num_embryos')} embryos, {get('num_ready')} to be accepted, backlog {get('backlog')}")
            return
        una, nxt = get("snd_una"), get("snd_nxt")
        print(f"    send: {get('send_bytes')} bytes of at most {get('send_limit')} (una +{(una - get('iss')) % 2**32}, "
              f"{(nxt - una) % 2**32} in flight), peer's window {get('snd_wnd')}, mss {get('mss')}, scale "
              f"{get('snd_scale')}" + (", FIN sent" if bool(c["fin_sent"]) else ", FIN queued"
                                       if bool(c["fin_queued"]) else ""))
        reorder = sum(1 for _ in tree_nodes(c["reorder"]))
        print(f"    receive: {get('rcv_unread')} bytes unread of at most {get('rcv_limit')} (nxt "
              f"+{(get('rcv_nxt') - get('irs')) % 2**32}), our window {(get('rcv_right') - get('rcv_nxt')) % 2**32}, "
              f"{reorder} segments out of order, scale {get('rcv_scale')}"
              + (", FIN received" if bool(c["fin_received"]) else ""))
        print(f"    congestion: {enum_name(c['recovery'], 'TCP_').lower()}, cwnd {get('cwnd')}, ssthresh "
              f"{get('ssthresh')}, {get('dupacks')} duplicate ACKs, {get('num_sacked')} ranges sacked, backoff "
              f"{get('backoff')}")
        print(f"    round trips: srtt {seconds(c['srtt'])}, rttvar {seconds(c['rttvar'])}, rto {seconds(c['rto'])}")
        print(f"    timers: {', '.join(timers_of(c)) or 'none'}")


def guess_socket(address):
    """A socket of the Internet family begins with its operations."""
    kinds = {"stream_ops": "stream_socket", "udp_ops": "inet_socket", "raw_ops": "inet_socket"}
    return kinds.get(symbol_at(read_word(address)))


def setup():
    slabs.guesses.append(guess_socket)
    Sockets()
    Tcp()
