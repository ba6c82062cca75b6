/*
 * The virtio transport over PCI (virtio 1.2, section 4.1): where a device's registers are, the steps of
 * bringing it up, and of giving it up.
 *
 * The device says by capabilities in its PCI configuration which of its memory holds what. All its
 * registers are little endian, as is the processor.
 */
#include "dev/virtio.h"

#include <abi/errno.h>

#include "dev/virtio_queue.h"
#include "lib/atomic.h"
#include "lib/log.h"
#include "x86/cpu.h"
#include "x86/io.h"

/* A capability of a virtio device (4.1.4). */
enum virtio_cap_register {
    CAP_TYPE = 3,
    CAP_BAR = 4,
    CAP_OFFSET = 8,
    CAP_LENGTH = 12,
    CAP_NOTIFY_MULTIPLIER = 16
};
enum virtio_cap_type { CAP_COMMON = 1, CAP_NOTIFY = 2, CAP_ISR = 3, CAP_DEVICE = 4 };

#define STATUS_ACKNOWLEDGE 1
#define STATUS_DRIVER 2
#define STATUS_DRIVER_OK 4
#define STATUS_FEATURES_OK 8

#define RESET_TRIES 1000000
#define CONFIG_TRIES 100
#define PAGE_OF_REGISTERS 4096u /* no part that we use is larger */

static uint8_t get8(struct virtio_device *v, unsigned offset)
{
    return v->common[offset];
}

static void set_status(struct virtio_device *v, uint8_t status)
{
    v->common[COMMON_STATUS] = status;
}

static uint32_t get32(struct virtio_device *v, unsigned offset)
{
    return mmio_read32(v->common + offset);
}

/* --- finding the registers --- */

struct region {
    volatile uint8_t *at;
    size_t size;
};

/* Map what the capability at CAP points to, when it has at least LEAST bytes. */
static struct region map_region(struct pci_device *d, unsigned cap, uint32_t least)
{
    uint32_t offset = pci_read32(d, cap + CAP_OFFSET);
    uint32_t len = pci_read32(d, cap + CAP_LENGTH);
    struct region r = {NULL, 0};

    if (len < least)
        return r;
    r.size = min(len, max(least, PAGE_OF_REGISTERS * 16));
    r.at = pci_map(d, pci_read8(d, cap + CAP_BAR), offset, r.size);
    return r;
}

/* The first capability of each type counts (4.1.4.1). */
static void find_registers(struct virtio_device *v)
{
    struct region r;

    for (unsigned cap = 0; (cap = pci_find_capability(v->pci, PCI_CAP_VENDOR, cap));) {
        uint8_t type = pci_read8(v->pci, cap + CAP_TYPE);
        if (type == CAP_COMMON && !v->common) {
            v->common = map_region(v->pci, cap, COMMON_SIZE).at;
        } else if (type == CAP_NOTIFY && !v->notify) {
            r = map_region(v->pci, cap, 2);
            v->notify = r.at;
            v->notify_size = r.size;
            v->notify_multiplier = pci_read32(v->pci, cap + CAP_NOTIFY_MULTIPLIER);
        } else if (type == CAP_ISR && !v->isr) {
            v->isr = map_region(v->pci, cap, 1).at;
        } else if (type == CAP_DEVICE && !v->config) {
            r = map_region(v->pci, cap, 1);
            v->config = r.at;
            v->config_size = r.at ? r.size : 0;
        }
    }
}

/* --- bringing up --- */

/* Reset: it is done when the status reads 0 (4.1.4.3.1). */
static bool reset(struct virtio_device *v)
{
    set_status(v, 0);
    for (int i = 0; i < RESET_TRIES; i++) {
        if (get8(v, COMMON_STATUS) == 0)
            return true;
        cpu_relax();
    }
    return false;
}

static void greet(struct virtio_device *v)
{
    set_status(v, STATUS_ACKNOWLEDGE);
    set_status(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER);
}

int virtio_open(struct virtio_device *v, struct pci_device *pci, const char *name)
{
    *v = (struct virtio_device){
        .pci = pci, .name = name, .config_vector = VIRTIO_NO_VECTOR, .stopped = true};
    pci_enable(pci);
    find_registers(v);
    if (!v->common || !v->notify || !v->isr) {
        log_err("%s: its registers can't be found", name);
        return -ENODEV;
    }
    if (!reset(v)) {
        log_err("%s: does not reset", name);
        return -ENODEV;
    }
    greet(v);
    int n = pci_msix_enable(pci);
    v->vectors = n > 0 ? (unsigned)n : 0;
    return 0;
}

uint64_t virtio_offered(struct virtio_device *v)
{
    mmio_write32(v->common + COMMON_DEVICE_FEATURE_SELECT, 0);
    uint64_t offered = get32(v, COMMON_DEVICE_FEATURE);
    mmio_write32(v->common + COMMON_DEVICE_FEATURE_SELECT, 1);
    return offered | (uint64_t)get32(v, COMMON_DEVICE_FEATURE) << 32;
}

int virtio_negotiate(struct virtio_device *v, uint64_t wanted)
{
    wanted |= FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_ACCESS_PLATFORM) |
              FEATURE(VIRTIO_F_INDIRECT_DESC) | FEATURE(VIRTIO_F_EVENT_IDX);
    uint64_t offered = virtio_offered(v);
    v->features = offered & wanted;
    if (!virtio_has(v, VIRTIO_F_VERSION_1)) {
        log_err("%s: is older than virtio 1.0", v->name);
        return -ENODEV;
    }
    mmio_write32(v->common + COMMON_DRIVER_FEATURE_SELECT, 0);
    mmio_write32(v->common + COMMON_DRIVER_FEATURE, (uint32_t)v->features);
    mmio_write32(v->common + COMMON_DRIVER_FEATURE_SELECT, 1);
    mmio_write32(v->common + COMMON_DRIVER_FEATURE, (uint32_t)(v->features >> 32));
    uint8_t status = STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK;
    set_status(v, status);
    if (!(get8(v, COMMON_STATUS) & STATUS_FEATURES_OK)) {
        log_err("%s: refuses the features %llx of its %llx", v->name,
                (unsigned long long)v->features, (unsigned long long)offered);
        return -ENODEV;
    }
    return 0;
}

void virtio_start(struct virtio_device *v)
{
    atomic_store(&v->stopped, false);
    set_status(v, STATUS_ACKNOWLEDGE | STATUS_DRIVER | STATUS_FEATURES_OK | STATUS_DRIVER_OK);
}

void virtio_fail(struct virtio_device *v, const char *why)
{
    if (__atomic_exchange_n(&v->stopped, true, __ATOMIC_ACQ_REL))
        return;
    /* No use waiting for the reset here: it may be the device that never answers. */
    set_status(v, 0);
    log_err("%s: %s; the device is disabled", v->name, why);
    if (v->failed)
        v->failed(v);
}

/* --- down and up again --- */

int virtio_stop(struct virtio_device *v)
{
    atomic_store(&v->stopped, true);
    if (reset(v))
        return 0;
    log_err("%s: does not reset", v->name);
    return -EIO;
}

/* A device without the means for an interrupt says so by reading back "none". */
static bool set_config_vector(struct virtio_device *v)
{
    volatile uint16_t *at = (volatile uint16_t *)(v->common + COMMON_CONFIG_VECTOR);

    *at = v->config_vector;
    return *at == v->config_vector;
}

int virtio_restart(struct virtio_device *v)
{
    uint64_t features = v->features;

    if (virtio_stop(v))
        return -EIO;
    greet(v);
    if (virtio_negotiate(v, features) || v->features != features) {
        v->features = features;
        return -EIO;
    }
    return set_config_vector(v) ? 0 : -EIO;
}

/* --- its own configuration --- */

int virtio_config_read(struct virtio_device *v, unsigned offset, void *out, unsigned n)
{
    if (!v->config || offset + n > v->config_size)
        return -ENODEV;
    for (int i = 0; i < CONFIG_TRIES; i++) {
        uint8_t before = get8(v, COMMON_GENERATION);
        for (unsigned b = 0; b < n; b++)
            ((uint8_t *)out)[b] = v->config[offset + b];
        if (get8(v, COMMON_GENERATION) == before)
            return 0;
    }
    return -ENODEV;
}

int virtio_connect_config(struct virtio_device *v, unsigned index, int cpu, struct irq_handler *h)
{
    int error = pci_msix_connect(v->pci, index, cpu, h);
    if (error)
        return error;
    v->config_vector = (uint16_t)index;
    return set_config_vector(v) ? 0 : -EBUSY;
}

unsigned virtio_isr(struct virtio_device *v)
{
    return *v->isr;
}
