/*
 * What the firmware's ACPI tables say of the machine: processors, interrupt controllers, timers,
 * and how to switch it off. Read once at boot; nothing of ACPI runs afterwards but three register
 * writes.
 */
#pragma once

#include "lib/types.h"
#include "x86/cpu.h"

#define ACPI_MAX_IOAPICS 8
#define ACPI_MAX_OVERRIDES 32

struct acpi_table {
    char signature[4];
    uint32_t length;
    uint8_t revision, checksum;
    char oem_id[6], oem_table_id[8];
    uint32_t oem_revision, creator_id, creator_revision;
} packed;

/* A register, in memory or I/O space (ACPI 6.5, section 5.2.3.2). */
struct acpi_register {
    uint8_t space, bit_width, bit_offset, access_size;
    uint64_t address;
} packed;
#define ACPI_SPACE_MEMORY 0
#define ACPI_SPACE_IO 1

struct acpi_ioapic {
    paddr_t address;
    uint32_t gsi_base;
};

/* ISA interrupt ISA_IRQ arrives as GSI, with this polarity and trigger mode (MPS INTI flags). */
struct acpi_override {
    uint8_t isa_irq;
    uint32_t gsi;
    uint16_t flags;
};

struct acpi_machine {
    paddr_t lapic;          /* all const after acpi_init() */
    uint32_t cpu[MAX_CPUS]; /* APIC ids of usable processors, the boot CPU's among them */
    unsigned ncpus;
    struct acpi_ioapic ioapic[ACPI_MAX_IOAPICS];
    unsigned nioapics;
    struct acpi_override override[ACPI_MAX_OVERRIDES];
    unsigned noverrides;
    paddr_t hpet;        /* 0: none */
    uint8_t rtc_century; /* CMOS index of the century; 0: none */
    uint16_t pm1a_control, pm1b_control, smi_command;
    uint8_t acpi_enable;
    bool can_power_off;
    uint8_t sleep_a, sleep_b;   /* SLP_TYP values for state S5 */
    struct acpi_register reset; /* address 0: none */
    uint8_t reset_value;
};

extern struct acpi_machine acpi_machine;

/* Needs paging_init(). Without tables the machine is taken for a PC with one processor. */
void acpi_init(void);

/* The first table with this signature ("MCFG"), mapped for good, its checksum right; or NULL. */
const struct acpi_table *acpi_find_table(const char signature[4]);
