"""virtio: each device's queues, how far either side has come, and the buffers that the device has."""

from kernel import (Broken, Command, arguments, at, flag_names, list_of, number, pointer,
                    read, symbol_at, table, text, variable)


def network_devices():
    """The struct virtio_net of every such device."""
    for device in list_of(variable("net/netdev.c:devices"), "netdev", "link"):
        if symbol_at(pointer(device["ops"])) == "virtio_net_ops":
            yield text(device["name"]), at(pointer(device["driver"]), "virtio_net")


def queues():
    for name, net in network_devices():
        for i in range(int(net["num_pairs"])):
            pair = net["pairs"][i]
            yield f"{name} receive {i}", pair["rx"]
            yield f"{name} send {i}", pair["tx"]
        if pointer(net["control"]):
            yield f"{name} control", net["control"]


def index_of(ring):
    return int(ring["idx"]) & 0xFFFF


def event_word(ring, queue, entry_size):
    """The word behind a ring's entries: at which number the other side wants to be told (2.7.7, 2.7.10)."""
    place = pointer(ring) + 4 + int(queue["size"]) * entry_size
    return int.from_bytes(read(place, 2), "little")


def has_event_idx(queue):
    return int(queue["device"]["features"]) >> 29 & 1  # VIRTIO_F_EVENT_IDX


class Virtqueue(Command):
    """virtqueue [ADDR]: every queue; or one: its indices, notifications and the buffers that the device has."""

    name = "virtqueue"

    def run(self, words):
        arguments(words, 0, 1, "virtqueue [ADDR]")
        if words:
            address = number(words[0])
            if address not in [pointer(queue) for _, queue in queues()]:
                raise Broken(f"at {words[0]} is no virtqueue: `virtqueue` lists them")
            self.show(at(address, "virtqueue"))
            return
        rows = []
        for what, queue in queues():
            rows.append((f"{pointer(queue):#x}", what, int(queue["size"]), int(queue["free_count"]),
                         index_of(queue["avail"]), index_of(queue["used"]), int(queue["used_seen"]),
                         "stopped" if bool(queue["device"]["stopped"]) else "in use"))
        if not rows:
            print("this machine has no virtio device (tools/run --net user)")
            return
        table(("struct virtqueue", "QUEUE", "SIZE", "FREE", "AVAIL", "USED", "SEEN", "DEVICE"), rows)

    @staticmethod
    def show(queue):
        size = int(queue["size"])
        avail, used, seen = index_of(queue["avail"]), index_of(queue["used"]), int(queue["used_seen"])
        print(f"queue {int(queue['index'])} of {text(queue['device']['name'])}: {size} descriptors, "
              f"{int(queue['free_count'])} free")
        print(f"    driver has published {avail} ({(int(queue['avail_next']) - avail) % 65536} more prepared), device "
              f"has used {used} ({(used - seen) % 65536} not yet looked at)")
        if has_event_idx(queue):
            print(f"    driver wants an interrupt at {event_word(queue['avail'], queue, 2)}, device wants to be told "
                  f"at {event_word(queue['used'], queue, 8)}")
        else:
            print(f"    flags: avail {int(queue['avail']['flags'])}, used {int(queue['used']['flags'])}")
        shown = 0
        for head in range(size):
            slot = queue["slots"][head]
            if pointer(slot["token"]):
                shown += 1
                descriptor = queue["desc"][head]
                print(f"    [{head}] token {pointer(slot['token']):#x}: {int(slot['count'])} descriptors, the first "
                      f"{int(descriptor['len'])} bytes at physical {int(descriptor['addr']):#x} "
                      f"{flag_names('dev/virtio_queue.h', 'VIRTQ_DESC_', int(descriptor['flags'])) or 'read'}, "
                      f"writable {int(slot['writable'])}")
        print(f"    {shown} buffers are with the device or wait to be taken")


def setup():
    Virtqueue()
