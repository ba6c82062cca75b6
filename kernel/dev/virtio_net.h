/* virtio-net: see virtio_net.c. */
#pragma once

/* Look for such devices and enter them as eth0, eth1... Needs pci_init() and all CPUs. */
void virtio_net_init(void);
