/*
 * The machine's PCI devices: found by walking the buses from the first, through every bridge.
 *
 * A function's registers are reached in one of two ways. Machines with PCI Express (q35) say in ACPI's
 * MCFG table where in memory they lie: 4 KiB a function, a mebibyte a bus, mapped when a bus is looked
 * at. Older ones (pc) have two ports, one that takes an address and one that moves the data; a lock
 * keeps the pair together.
 */
#include "dev/pci.h"

#include <abi/errno.h>

#include "lib/log.h"
#include "mm/slab.h"
#include "sched/lock.h"
#include "x86/acpi.h"
#include "x86/io.h"

#define PORT_ADDRESS 0xcf8
#define PORT_DATA 0xcfc
#define BUS_SIZE (1u << 20) /* of configuration space */
#define MAX_BUSES 256

enum pci_register {
    PCI_VENDOR = 0x00,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_CLASS = 0x08, /* revision, interface, subclass, class */
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR = 0x10,
    PCI_SECONDARY_BUS = 0x19, /* of a bridge */
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
};
#define COMMAND_MEMORY 0x002
#define COMMAND_MASTER 0x004
#define COMMAND_NO_INTX 0x400
#define STATUS_CAPABILITIES 0x10
#define HEADER_MULTIFUNCTION 0x80
#define HEADER_TYPE 0x7f
#define HEADER_BRIDGE 1
#define CLASS_BRIDGE 6
#define SUBCLASS_PCI_BRIDGE 4
#define BAR_IO 1u
#define BAR_64 4u
#define BAR_TYPE 6u
#define BAR_FLAGS 15u
#define BARS 6

/* MSI-X (PCI 3.0, 6.8.2). */
#define MSIX_CONTROL 2
#define MSIX_TABLE 4
#define MSIX_ENABLE 0x8000
#define MSIX_MASK_ALL 0x4000
#define MSIX_SIZE 0x7ff
#define MSIX_BAR 7u
#define MSIX_ENTRY 16
#define MSIX_MASKED 1u

/* ACPI's table of the places of configuration space (PCI Firmware 3.2, 4.1.2). */
struct mcfg_entry {
    uint64_t base;
    uint16_t segment;
    uint8_t first_bus, last_bus;
    uint32_t reserved;
} packed;
struct mcfg {
    struct acpi_table header;
    uint64_t reserved;
    struct mcfg_entry entries[];
} packed;

static struct list devices = LIST_INIT(devices); /* const after pci_init() */
static const struct mcfg *mcfg;                  /* const after pci_init(); NULL: ports */
static struct spinlock port_lock = SPINLOCK_INIT(RANK_DEVICE, "pci ports");

/* --- configuration space --- */

static uint32_t port_address(const struct pci_device *d, unsigned offset)
{
    return 1u << 31 | (uint32_t)d->bus << 16 | (uint32_t)d->device << 11 |
           (uint32_t)d->function << 8 | (offset & 0xfc);
}

uint32_t pci_read32(struct pci_device *d, unsigned offset)
{
    if (d->config)
        return *(volatile uint32_t *)(d->config + offset);
    spin_lock(&port_lock);
    outl(PORT_ADDRESS, port_address(d, offset));
    uint32_t value = inl(PORT_DATA);
    spin_unlock(&port_lock);
    return value;
}

uint16_t pci_read16(struct pci_device *d, unsigned offset)
{
    return (uint16_t)(pci_read32(d, offset & ~3u) >> (offset & 2) * 8);
}

uint8_t pci_read8(struct pci_device *d, unsigned offset)
{
    return (uint8_t)(pci_read32(d, offset & ~3u) >> (offset & 3) * 8);
}

void pci_write32(struct pci_device *d, unsigned offset, uint32_t value)
{
    if (d->config) {
        *(volatile uint32_t *)(d->config + offset) = value;
        return;
    }
    spin_lock(&port_lock);
    outl(PORT_ADDRESS, port_address(d, offset));
    outl(PORT_DATA, value);
    spin_unlock(&port_lock);
}

/* By its own size: the other half may be a register where writing a one means something. */
void pci_write16(struct pci_device *d, unsigned offset, uint16_t value)
{
    if (d->config) {
        *(volatile uint16_t *)(d->config + offset) = value;
        return;
    }
    spin_lock(&port_lock);
    outl(PORT_ADDRESS, port_address(d, offset));
    outw((uint16_t)(PORT_DATA + (offset & 2)), value);
    spin_unlock(&port_lock);
}

unsigned pci_find_capability(struct pci_device *d, uint8_t capability, unsigned after)
{
    unsigned at = after ? after + 1 : PCI_CAPABILITIES;

    if (!(pci_read16(d, PCI_STATUS) & STATUS_CAPABILITIES))
        return 0;
    /* No more of them than fit: 48 in the 192 bytes behind the header. */
    for (int i = 0; i < 48; i++) {
        at = pci_read8(d, at) & ~3u;
        if (at < 0x40)
            return 0;
        if (pci_read8(d, at) == capability)
            return at;
        at++;
    }
    return 0;
}

/* --- the walk --- */

/* The registers of bus N in memory, or NULL: there are only the ports. */
static volatile uint8_t *map_bus(unsigned bus)
{
    if (!mcfg)
        return NULL;
    size_t n = (mcfg->header.length - sizeof(*mcfg)) / sizeof(mcfg->entries[0]);
    for (size_t i = 0; i < n; i++) {
        const struct mcfg_entry *e = &mcfg->entries[i];
        if (e->segment == 0 && bus >= e->first_bus && bus <= e->last_bus)
            return mmio_map(e->base + (uint64_t)bus * BUS_SIZE, BUS_SIZE);
    }
    return NULL;
}

static void scan_bus(unsigned bus, unsigned depth);

static void add_function(const struct pci_device *found, unsigned depth)
{
    struct pci_device *d = kmalloc(sizeof(*d));
    if (!d) {
        log_warn("pci: out of memory, a device is left out");
        return;
    }
    *d = *found;
    uint32_t class = pci_read32(d, PCI_CLASS);
    d->class = (uint8_t)(class >> 24);
    d->subclass = (uint8_t)(class >> 16);
    d->irq_line = pci_read8(d, PCI_INTERRUPT_LINE);
    list_push_back(&devices, &d->link);
    log_debug("pci: %02x:%02x.%u %04x:%04x class %02x%02x", d->bus, d->device, d->function,
              d->vendor, d->id, d->class, d->subclass);
    bool bridge = d->class == CLASS_BRIDGE && d->subclass == SUBCLASS_PCI_BRIDGE &&
                  (pci_read8(d, PCI_HEADER_TYPE) & HEADER_TYPE) == HEADER_BRIDGE;
    /* Buses are numbered downwards by rising numbers, so a circle can't be walked. */
    if (bridge && pci_read8(d, PCI_SECONDARY_BUS) > d->bus)
        scan_bus(pci_read8(d, PCI_SECONDARY_BUS), depth + 1);
}

/* False when the device has no such function. */
static bool look_at(struct pci_device *d, unsigned depth)
{
    uint32_t ids = pci_read32(d, PCI_VENDOR);
    d->vendor = (uint16_t)ids;
    d->id = (uint16_t)(ids >> 16);
    if (d->vendor == 0xffff || d->vendor == 0)
        return false;
    add_function(d, depth);
    return true;
}

static void scan_bus(unsigned bus, unsigned depth)
{
    volatile uint8_t *config = map_bus(bus);

    if (depth >= MAX_BUSES || (mcfg && !config))
        return;
    for (uint8_t device = 0; device < 32; device++) {
        for (uint8_t function = 0; function < 8; function++) {
            struct pci_device d = {
                .bus = (uint8_t)bus,
                .device = device,
                .function = function,
                .config = config ? config + (device << 15 | function << 12) : NULL,
            };
            bool there = look_at(&d, depth);
            if (function == 0 &&
                (!there || !(pci_read8(&d, PCI_HEADER_TYPE) & HEADER_MULTIFUNCTION)))
                break;
        }
    }
}

void pci_init(void)
{
    mcfg = (const struct mcfg *)acpi_find_table("MCFG");
    if (mcfg && mcfg->header.length < sizeof(*mcfg) + sizeof(mcfg->entries[0]))
        mcfg = NULL;
    scan_bus(0, 0);
}

void pci_for_each(uint16_t vendor, uint16_t first, uint16_t last,
                  void (*probe)(struct pci_device *d))
{
    struct pci_device *d;
    list_for_each (d, &devices, link) {
        if (d->vendor == vendor && d->id >= first && d->id <= last)
            probe(d);
    }
}

/* --- memory --- */

void pci_enable(struct pci_device *d)
{
    uint16_t command = pci_read16(d, PCI_COMMAND);
    pci_write16(d, PCI_COMMAND, command | COMMAND_MEMORY | COMMAND_MASTER);
}

volatile void *pci_map(struct pci_device *d, unsigned bar, uint64_t offset, size_t size)
{
    if (bar >= BARS)
        return NULL;
    uint32_t low = pci_read32(d, PCI_BAR + bar * 4);
    uint64_t base = low & ~BAR_FLAGS;
    if (low & BAR_IO)
        return NULL;
    if ((low & BAR_TYPE) == BAR_64) {
        if (bar + 1 >= BARS)
            return NULL;
        base |= (uint64_t)pci_read32(d, PCI_BAR + bar * 4 + 4) << 32;
    }
    if (!base || base + offset < base)
        return NULL;
    return mmio_map(base + offset, size);
}

/* --- interrupts --- */

int pci_msix_enable(struct pci_device *d)
{
    unsigned cap = pci_find_capability(d, PCI_CAP_MSIX, 0);
    if (!cap)
        return -ENODEV;
    uint16_t control = pci_read16(d, cap + MSIX_CONTROL);
    uint32_t table = pci_read32(d, cap + MSIX_TABLE);
    unsigned n = (control & MSIX_SIZE) + 1u;
    d->msix = pci_map(d, table & MSIX_BAR, table & ~MSIX_BAR, n * MSIX_ENTRY);
    if (!d->msix)
        return -ENODEV;
    d->msix_vectors = n;
    for (unsigned i = 0; i < n; i++)
        mmio_write32(d->msix + i * MSIX_ENTRY + 12, MSIX_MASKED);
    pci_write16(d, PCI_COMMAND, pci_read16(d, PCI_COMMAND) | COMMAND_NO_INTX);
    pci_write16(d, cap + MSIX_CONTROL, (uint16_t)((control | MSIX_ENABLE) & ~MSIX_MASK_ALL));
    return (int)n;
}

int pci_msix_connect(struct pci_device *d, unsigned index, int cpu, struct irq_handler *h)
{
    uint64_t address;
    uint32_t data;

    if (index >= d->msix_vectors)
        return -EINVAL;
    int error = irq_register_msi(cpu, h, &address, &data);
    if (error)
        return error;
    volatile uint8_t *entry = d->msix + index * MSIX_ENTRY;
    mmio_write32(entry, (uint32_t)address);
    mmio_write32(entry + 4, (uint32_t)(address >> 32));
    mmio_write32(entry + 8, data);
    mmio_write32(entry + 12, 0);
    return 0;
}

int pci_line_connect(struct pci_device *d, struct irq_handler *h)
{
    if (d->irq_line >= 16)
        return -ENODEV;
    return irq_register_gsi(isa_irq_gsi(d->irq_line), h);
}
