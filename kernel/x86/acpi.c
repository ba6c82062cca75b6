/*
 * Reading the ACPI tables.
 *
 * The root pointer (RSDP) comes from the loader or is searched for in the BIOS area; it leads to
 * the root table, whose entries are the physical addresses of all others. ACPI 6.5, chapter 5.
 *
 * One thing needs the byte code (AML) that the tables carry: the numbers to write for state S5,
 * power off. They stand in a package of constants named \_S5, and a search for that name finds it
 * without an interpreter.
 */
#include "x86/acpi.h"

#include "lib/log.h"
#include "lib/string.h"
#include "x86/boot_info.h"
#include "x86/paging.h"

#define KERNEL_BASE 0xffffffff80000000UL
#define BIOS_EBDA_POINTER 0x40e
#define BIOS_AREA 0xe0000
#define BIOS_AREA_END 0x100000
#define TABLE_MAX (1u << 20) /* longer than any table that means something to us */
#define DEFAULT_LAPIC 0xfee00000
#define DEFAULT_IOAPIC 0xfec00000

struct rsdp {
    char signature[8];
    uint8_t checksum;
    char oem_id[6];
    uint8_t revision;
    uint32_t rsdt;
    /* revision 2 and up */
    uint32_t length;
    uint64_t xsdt;
    uint8_t extended_checksum, reserved[3];
} packed;
#define RSDP_V1_SIZE 20

struct madt {
    struct acpi_table header;
    uint32_t lapic, flags;
    uint8_t entries[];
} packed;

enum madt_type {
    MADT_LAPIC = 0,
    MADT_IOAPIC = 1,
    MADT_OVERRIDE = 2,
    MADT_LAPIC_ADDRESS = 5,
    MADT_X2APIC = 9,
};
#define MADT_CPU_ENABLED 1

/* Offsets in the FADT, whose length depends on the version (ACPI 6.5, table 5.9). */
enum {
    FADT_DSDT = 40,
    FADT_SMI_COMMAND = 48,
    FADT_ACPI_ENABLE = 52,
    FADT_PM1A_CONTROL = 64,
    FADT_PM1B_CONTROL = 68,
    FADT_CENTURY = 108,
    FADT_FLAGS = 112,
    FADT_RESET_REGISTER = 116,
    FADT_RESET_VALUE = 128,
    FADT_X_DSDT = 140,
};
#define FADT_FLAG_RESET_SUPPORTED (1u << 10)

#define HPET_ADDRESS 44

struct acpi_machine acpi_machine = {.lapic = DEFAULT_LAPIC};

static const struct acpi_table *root; /* const after acpi_init(): RSDT or XSDT */
static unsigned root_entry_size;      /* 4 or 8 */

static bool sum_is_zero(const void *p, size_t len)
{
    uint8_t sum = 0;
    for (size_t i = 0; i < len; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)p)[i]);
    return sum == 0;
}

/* Map the header to learn the length, then all of it when it goes beyond the header's page. */
static const struct acpi_table *map_table(paddr_t pa)
{
    const struct acpi_table *t = pa ? paging_map_firmware(pa, sizeof(*t)) : NULL;
    if (!t || t->length < sizeof(*t) || t->length > TABLE_MAX)
        return NULL;
    uint32_t length = t->length;
    if (((pa + length - 1) ^ (pa + sizeof(*t) - 1)) & PAGE_MASK)
        t = paging_map_firmware(pa, length);
    return t && sum_is_zero(t, length) ? t : NULL;
}

static unsigned root_entries(void)
{
    return root ? (root->length - sizeof(*root)) / root_entry_size : 0;
}

static paddr_t root_entry(unsigned i)
{
    uint64_t pa = 0;
    memcpy(&pa, (const uint8_t *)(root + 1) + (size_t)i * root_entry_size, root_entry_size);
    return pa;
}

const struct acpi_table *acpi_find_table(const char signature[4])
{
    for (unsigned i = 0; i < root_entries(); i++) {
        const struct acpi_table *t = paging_map_firmware(root_entry(i), sizeof(*t));
        if (t && !memcmp(t->signature, signature, 4))
            return map_table(root_entry(i));
    }
    return NULL;
}

/* The values at an offset of a table that may be too short for it: then 0. */

static uint64_t field(const struct acpi_table *t, size_t offset, size_t size)
{
    uint64_t v = 0;
    if (offset + size <= t->length)
        memcpy(&v, (const uint8_t *)t + offset, size);
    return v;
}

/* --- the root -------------------------------------------------------------------------------- */

static bool rsdp_is_good(const struct rsdp *r)
{
    return !memcmp(r->signature, "RSD PTR ", 8) && sum_is_zero(r, RSDP_V1_SIZE);
}

static const struct rsdp *search_rsdp(paddr_t start, paddr_t end)
{
    const uint8_t *p = paging_map_firmware(start, end - start);
    if (!p)
        return NULL;
    for (size_t off = 0; off + sizeof(struct rsdp) <= end - start; off += 16)
        if (rsdp_is_good((const struct rsdp *)(p + off)))
            return (const struct rsdp *)(p + off);
    return NULL;
}

static const struct rsdp *find_rsdp(void)
{
    if (boot_info.rsdp) {
        const struct rsdp *r = paging_map_firmware(boot_info.rsdp, sizeof(*r));
        if (r && rsdp_is_good(r))
            return r;
        log_warn("ACPI: the loader's root pointer is bad");
    }
    const uint8_t *bios_data = paging_map_firmware(0, PAGE_SIZE);
    if (bios_data) {
        uint16_t segment;
        memcpy(&segment, bios_data + BIOS_EBDA_POINTER, sizeof(segment));
        paddr_t ebda = (paddr_t)segment << 4;
        if (ebda >= 0x80000 && ebda < 0xa0000 - 1024) {
            const struct rsdp *r = search_rsdp(ebda, ebda + 1024);
            if (r)
                return r;
        }
    }
    return search_rsdp(BIOS_AREA, BIOS_AREA_END);
}

static void find_root(void)
{
    const struct rsdp *r = find_rsdp();
    if (!r)
        return;
    if (r->revision >= 2 && r->xsdt) {
        root_entry_size = 8;
        root = map_table(r->xsdt);
    }
    if (!root) {
        root_entry_size = 4;
        root = map_table(r->rsdt);
    }
}

/* --- MADT: processors and interrupt controllers --------------------------------------------- */

static void add_cpu(uint32_t apic_id, uint32_t flags)
{
    struct acpi_machine *m = &acpi_machine;

    if (!(flags & MADT_CPU_ENABLED))
        return;
    for (unsigned i = 0; i < m->ncpus; i++)
        if (m->cpu[i] == apic_id)
            return;
    if (m->ncpus == MAX_CPUS)
        log_warn("ACPI: more than %d processors, APIC %u is not used", MAX_CPUS, apic_id);
    else
        m->cpu[m->ncpus++] = apic_id;
}

static void parse_madt_entry(const struct acpi_table *madt, size_t off, unsigned type, unsigned len)
{
    struct acpi_machine *m = &acpi_machine;

    switch (type) {
    case MADT_LAPIC:
        if (len >= 8)
            add_cpu((uint32_t)field(madt, off + 3, 1), (uint32_t)field(madt, off + 4, 4));
        break;
    case MADT_X2APIC:
        if (len >= 16)
            add_cpu((uint32_t)field(madt, off + 4, 4), (uint32_t)field(madt, off + 8, 4));
        break;
    case MADT_IOAPIC:
        if (len >= 12 && m->nioapics < ACPI_MAX_IOAPICS)
            m->ioapic[m->nioapics++] = (struct acpi_ioapic){
                .address = field(madt, off + 4, 4),
                .gsi_base = (uint32_t)field(madt, off + 8, 4),
            };
        break;
    case MADT_OVERRIDE:
        if (len >= 10 && m->noverrides < ACPI_MAX_OVERRIDES)
            m->override[m->noverrides++] = (struct acpi_override){
                .isa_irq = (uint8_t)field(madt, off + 3, 1),
                .gsi = (uint32_t)field(madt, off + 4, 4),
                .flags = (uint16_t)field(madt, off + 8, 2),
            };
        break;
    case MADT_LAPIC_ADDRESS:
        if (len >= 12)
            m->lapic = field(madt, off + 4, 8);
        break;
    default: break;
    }
}

static void parse_madt(const struct acpi_table *madt)
{
    acpi_machine.lapic = ((const struct madt *)madt)->lapic;
    for (size_t off = sizeof(struct madt); off + 2 <= madt->length;) {
        unsigned type = (unsigned)field(madt, off, 1);
        unsigned len = (unsigned)field(madt, off + 1, 1);
        if (len < 2 || off + len > madt->length)
            break;
        parse_madt_entry(madt, off, type, len);
        off += len;
    }
}

/* --- FADT: power and reset ------------------------------------------------------------------- */

/* A byte constant of AML: ZeroOp, OneOp or BytePrefix and the byte. Moves *OFF behind it. */
static bool aml_byte(const struct acpi_table *t, size_t *off, uint8_t *value)
{
    uint64_t op = field(t, (*off)++, 1);
    if (op == 0x00 || op == 0x01)
        *value = (uint8_t)op;
    else if (op == 0x0a)
        *value = (uint8_t)field(t, (*off)++, 1);
    else
        return false;
    return *off <= t->length;
}

/*
 * NameOp "_S5_" PackageOp PkgLength NumElements SLP_TYPa SLP_TYPb ... (ACPI 6.5, sections 7.4.2,
 * 20.2)
 */
static void find_s5(const struct acpi_table *dsdt)
{
    struct acpi_machine *m = &acpi_machine;
    const uint8_t *p = (const uint8_t *)dsdt;

    for (size_t off = sizeof(*dsdt) + 2; off + 8 <= dsdt->length; off++) {
        if (memcmp(p + off, "_S5_", 4) || p[off + 4] != 0x12)
            continue;
        /* the name stands after NameOp, perhaps with the root prefix between */
        if (p[off - 1] != 0x08 && !(p[off - 1] == '\\' && p[off - 2] == 0x08))
            continue;
        size_t at = off + 5;
        at += (p[at] >> 6) +
              2u; /* PkgLength says in its top bits how many bytes follow; NumElements */
        if (aml_byte(dsdt, &at, &m->sleep_a) && aml_byte(dsdt, &at, &m->sleep_b)) {
            m->can_power_off = m->pm1a_control != 0;
            return;
        }
    }
}

static void parse_fadt(const struct acpi_table *fadt)
{
    struct acpi_machine *m = &acpi_machine;

    m->smi_command = (uint16_t)field(fadt, FADT_SMI_COMMAND, 4);
    m->acpi_enable = (uint8_t)field(fadt, FADT_ACPI_ENABLE, 1);
    m->pm1a_control = (uint16_t)field(fadt, FADT_PM1A_CONTROL, 4);
    m->pm1b_control = (uint16_t)field(fadt, FADT_PM1B_CONTROL, 4);
    m->rtc_century = (uint8_t)field(fadt, FADT_CENTURY, 1);
    if (field(fadt, FADT_FLAGS, 4) & FADT_FLAG_RESET_SUPPORTED && fadt->length > FADT_RESET_VALUE) {
        memcpy(&m->reset, (const uint8_t *)fadt + FADT_RESET_REGISTER, sizeof(m->reset));
        m->reset_value = (uint8_t)field(fadt, FADT_RESET_VALUE, 1);
    }
    uint64_t pa = field(fadt, FADT_X_DSDT, 8);
    const struct acpi_table *dsdt = map_table(pa ? pa : field(fadt, FADT_DSDT, 4));
    if (dsdt)
        find_s5(dsdt);
}

void acpi_init(void)
{
    struct acpi_machine *m = &acpi_machine;

    find_root();
    if (!root)
        log_warn("ACPI: no tables; one processor, no power off");
    const struct acpi_table *madt = acpi_find_table("APIC");
    if (madt)
        parse_madt(madt);
    const struct acpi_table *fadt = acpi_find_table("FACP");
    if (fadt)
        parse_fadt(fadt);
    const struct acpi_table *hpet = acpi_find_table("HPET");
    if (hpet)
        m->hpet = field(hpet, HPET_ADDRESS, 8);
    if (!m->nioapics)
        m->ioapic[m->nioapics++] = (struct acpi_ioapic){.address = DEFAULT_IOAPIC};
    log_info("ACPI: %u processors, %u I/O APICs%s%s", max(m->ncpus, 1u), m->nioapics,
             m->hpet ? ", HPET" : "", m->can_power_off ? ", power off" : "");
}
