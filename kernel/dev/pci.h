/*
 * PCI and PCI Express: which devices the machine has, their configuration registers, their memory and
 * their interrupts. Found once at boot; nothing is plugged in or out afterwards. Firmware has given the
 * buses their numbers and the devices their addresses.
 *
 * Sources: PCI Local Bus 3.0 (chapter 6: configuration space, capabilities, MSI-X) and PCI Express Base
 * 3.0, section 7.2 (ECAM: 4 KiB of memory for each function's registers).
 */
#pragma once

#include "lib/list.h"
#include "lib/types.h"
#include "x86/irq.h"

struct pci_device {
    struct list link;              /* const after pci_init() */
    uint8_t bus, device, function; /* const */
    uint16_t vendor, id;           /* const */
    uint8_t class, subclass;       /* const */
    uint8_t irq_line;              /* const: the ISA line firmware has routed INTx to; 255: none */
    volatile uint8_t *config;      /* const: the registers in memory; NULL: reached by ports */
    volatile uint8_t
        *msix;             /* the driver's: the MSI-X table, once pci_msix_enable() has mapped it */
    unsigned msix_vectors; /* the driver's: its length */
};

/* Look for devices. Needs acpi_init(), and memory. */
void pci_init(void);

/* Call PROBE for each device with this vendor and an id in [FIRST, LAST], in the order of their places. */
void pci_for_each(uint16_t vendor, uint16_t first, uint16_t last,
                  void (*probe)(struct pci_device *d));

/* Registers of the configuration space; OFFSET is a multiple of the size. Any context. */
uint8_t pci_read8(struct pci_device *d, unsigned offset);
uint16_t pci_read16(struct pci_device *d, unsigned offset);
uint32_t pci_read32(struct pci_device *d, unsigned offset);
void pci_write16(struct pci_device *d, unsigned offset, uint16_t value);
void pci_write32(struct pci_device *d, unsigned offset, uint32_t value);

/*
 * The next capability with this id behind the one at AFTER (0: the first). Its offset, or 0 when there is
 * none. A list that is no list ends.
 */
unsigned pci_find_capability(struct pci_device *d, uint8_t capability, unsigned after);
#define PCI_CAP_VENDOR 0x09
#define PCI_CAP_MSIX 0x11

/* Let the device be spoken to in memory, and let it write to memory itself. */
void pci_enable(struct pci_device *d);

/* SIZE bytes from OFFSET in the memory of base address register BAR. NULL: it has none there. */
volatile void *pci_map(struct pci_device *d, unsigned bar, uint64_t offset, size_t size);

/* Turn MSI-X on, every vector masked. The number of vectors, or -ENODEV: it has no MSI-X. */
int pci_msix_enable(struct pci_device *d);
/* Vector INDEX interrupts CPU and calls H. 0 or -errno. */
int pci_msix_connect(struct pci_device *d, unsigned index, int cpu, struct irq_handler *h);
/* For a device without MSI-X: its interrupt line. 0 or -errno. */
int pci_line_connect(struct pci_device *d, struct irq_handler *h);
