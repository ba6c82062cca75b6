# Signalbox: the one Makefile.
#
# `make` builds build/kernel.elf, build/initrd.cpio and build/signalbox.iso; `make DEBUG=1` builds the
# same under build/debug with assertions, lock checks, poisoned memory and the undefined-behaviour
# sanitizer. Sources are found by wildcard, so a new file needs no line here. V=1 shows the commands,
# `make help` lists the targets.
#
# Everything made lies under build/. The kernel, which differs, lies in $(O); the library and the
# programs are the same for both and lie in $(B).

DEBUG ?= 0
B := build
ifeq ($(DEBUG),1)
O := build/debug
else
O := build
endif

CROSS   ?= x86_64-linux-gnu-
CC      := $(CROSS)gcc
LD      := $(CROSS)ld
AR      := $(CROSS)ar
NM      := $(CROSS)nm
OBJCOPY := $(CROSS)objcopy
NASM    ?= nasm
HOSTCC  ?= gcc
BUSYBOX ?= /bin/busybox
PYTHON  := /usr/bin/python3

# V=1 shows each command, otherwise each is one short line.
V ?= 0
ifeq ($(V),1)
Q   :=
say := :
else
Q   := @
say := printf '  %-8s %s\n'
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.DEFAULT_GOAL := all

## all: the kernel, the initial file system and the GRUB image
.PHONY: all
all: $(O)/kernel.elf $(O)/initrd.cpio $(O)/signalbox.iso

# --- flags ------------------------------------------------------------------------------------------

warnings := -Wall -Wextra -Werror -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
            -Wpointer-arith -Wundef
# Frame pointers in everything that runs here: a backtrace is a walk along them.
frames   := -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls
includes := -I. -Ikernel -I$(B)/gen

kernel_cflags := -std=gnu17 -g $(warnings) -Wvla $(frames) $(includes) \
                 -ffreestanding -fno-pic -fno-pie -mcmodel=kernel -mno-red-zone -mgeneral-regs-only \
                 -fno-stack-protector -fno-asynchronous-unwind-tables -fcf-protection=none \
                 -fno-strict-aliasing -fno-delete-null-pointer-checks -fno-common \
                 -fno-tree-loop-distribute-patterns
vdso_cflags := -std=gnu17 -g -O2 $(warnings) -I. -Ikernel -I$(B)/gen -ffreestanding -fPIC \
               -fno-stack-protector -fcf-protection=none -fasynchronous-unwind-tables
vdso_ldflags := -shared -soname linux-vdso.so.1 --hash-style=both --build-id=none --eh-frame-hdr \
                -z max-page-size=4096 -z noexecstack --no-undefined -Bsymbolic
kernel_ldflags := -nostdlib -static -z max-page-size=4096 -z noexecstack --build-id=none
asflags := -f elf64 -g -F dwarf -Iboot/ -Ikernel/ -Ilibc/ -I$(B)/ -I$(B)/gen/
kernel_asflags := $(asflags)
ifeq ($(DEBUG),1)
# Addresses from programs may be odd, and the sanitizer can't tell them from our own: no alignment check.
kernel_cflags += -O1 -DCONFIG_DEBUG -fsanitize=undefined -fno-sanitize=alignment
kernel_asflags += -DCONFIG_DEBUG
else
# Within functions nothing is aligned: what fills the gaps is executed, and was a twentieth of the text.
kernel_cflags += -O2 -falign-jumps=1 -falign-loops=1 -falign-labels=1
endif

# Programs: our own headers and library, and of the compiler's only what a freestanding C has.
program_cflags := -std=gnu17 -g -O2 $(warnings) $(frames) -ffunction-sections -fdata-sections \
                  -fcf-protection=none -fno-asynchronous-unwind-tables \
                  -nostdinc -isystem $(shell $(CC) -print-file-name=include 2>/dev/null) \
                  -Ilibc/include $(includes)
user_cflags := $(program_cflags) -fno-pic -fno-pie -fstack-protector-strong -mstack-protector-guard=tls
command_cflags := $(user_cflags) -Os
# A library may not be compiled into calls of itself: no loop of memcpy becomes a call of memcpy. It is small rather
# than fast, but for what is called most; it can be linked into a program that is moved (-static-pie).
libc_cflags := $(program_cflags) -Os -fPIE -fno-stack-protector \
               -Ilibc -ffreestanding -fno-builtin -fno-tree-loop-distribute-patterns
libc_fast   := libc/string/%
libc_fast_cflags := -O2 -falign-functions=1
# Where no system call is made no thread sleeps in a leaf, whose frame a backtrace would miss.
libc_calling := $(addprefix libc/,stdio/file.c stdlib/exit.c malloc/malloc.c time/time.c time/timer.c)
libc_leaves := $(addprefix libc/,$(addsuffix /%,string stdio stdlib ctype malloc time net errno dirent glob))
libc_leaf_cflags := -momit-leaf-frame-pointer
user_ldflags := -nostdlib -static -no-pie -Wl,-z,norelro \
                -Wl,--gc-sections,--build-id=none,-z,noexecstack,-z,noseparate-code,-z,max-page-size=4096
host_cflags := -std=gnu17 -g -O1 $(warnings) $(includes) -Ilibc -fsanitize=address,undefined \
               -fno-sanitize-recover=all

# --- sources and what becomes of them ------------------------------------------------------------------

kernel_sources := $(wildcard kernel/*.c kernel/*/*.c kernel/*/*.asm boot/*.asm)
ifeq ($(DEBUG),1)
kernel_sources += $(wildcard tests/kernel/*.c)
endif
# What the kernel lends to programs as a library is user code, and lies in the kernel as a file.
vdso_sources := $(wildcard kernel/x86/vdso/*.c)
kernel_objects := $(kernel_sources:%=$(O)/obj/%.o) $(O)/obj/gen/syscall_table.c.o

libc_sources := $(wildcard libc/*/*.c libc/*/*.asm)
libc_objects := $(patsubst %,$(B)/obj/%.o,$(filter-out libc/crt/%,$(libc_sources))) \
                $(B)/obj/gen/libc_stubs.asm.o
crt0 := $(B)/obj/libc/crt/crt0.asm.o

# A file in user/ is a program, a command of the system; one in user/demo/ shows one idea. Programs of
# several files, such as sh, are folders.
commands        := $(patsubst %.c,$(B)/%,$(wildcard user/*.c))
folder_sources  := $(wildcard user/dhcp/*.c user/grep/*.c user/inetd/*.c user/init/*.c user/sh/*.c user/tcpdump/*.c)
folder_programs := $(patsubst %,$(B)/user/%,$(sort $(notdir $(patsubst %/,%,$(dir $(folder_sources))))))
demos           := $(patsubst %.c,$(B)/%,$(wildcard user/demo/*.c))
asm_demos       := $(patsubst %.asm,$(B)/%,$(wildcard user/demo/*.asm))
demo_pages      := $(patsubst %,$(B)/%,$(wildcard user/demo/*.txt))
# Test programs run inside, most of them on the host too: linked with our libc as user programs are.
test_programs := $(patsubst %.c,$(B)/%,$(wildcard tests/conform/*.c tests/fuzz/*.c tests/stress/*.c \
                                                   tests/bench/*.c tests/host/*.c tests/labs/*/programs/*.c \
                                                   tests/host/labs/*/programs/*.c))
# Those whose first line has the word musl are also built with that library.
musl_sources  := $(shell awk 'FNR == 1 && /musl/ { print FILENAME } { nextfile }' \
                         $(wildcard tests/conform/*.c) /dev/null)
musl_programs := $(patsubst tests/conform/%.c,$(B)/tests/musl/%,$(musl_sources))
unit_programs := $(patsubst %.c,$(B)/%,$(wildcard tests/unit/*.c))

# The tools are looked for once, before anything else: make reads this file again when that changed
# something. Nothing depends on it otherwise.
ifneq ($(filter-out clean help deps gdb,$(or $(MAKECMDGOALS),all)),)
include build/deps.ok
endif
build/deps.ok: tools/deps
	$(Q)tools/deps
	$(Q)mkdir -p build && touch $@

# Made from the one table of system calls; everything is compiled after them.
generated := $(B)/gen/made
$(generated): kernel/abi/syscalls.tbl tools/gensyscalls
	$(Q)$(say) GEN '$(B)/gen: from the table of system calls'
	$(Q)mkdir -p $(@D)
	$(Q)tools/gensyscalls kernel/abi/syscalls.tbl $(@D)
	$(Q)touch $@
# Those whose text did not change keep their time, and nothing is compiled again for them.
$(addprefix $(B)/gen/,syscall_nr.h syscall_protos.h syscall_table.c libc_stubs.asm): $(generated) ;

# The flags of the last build: when they change, everything compiled with them is made again.
kernel_flags := $(CC) $(kernel_cflags) $(kernel_ldflags) $(NASM) $(kernel_asflags)
user_flags   := $(vdso_cflags) $(vdso_ldflags) $(CC) $(libc_cflags) $(libc_fast_cflags) $(libc_leaf_cflags) \
                $(user_cflags) $(command_cflags) $(user_ldflags) $(asflags) $(HOSTCC) $(host_cflags)
$(O)/kernel.flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(kernel_flags)' | cmp -s - $@ || echo '$(kernel_flags)' > $@
$(B)/user.flags: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(user_flags)' | cmp -s - $@ || echo '$(user_flags)' > $@
.PHONY: FORCE
FORCE:

# --- compiling ------------------------------------------------------------------------------------------

# $(call compile,FLAGS): one C file, and beside the object the list of headers it was made from.
compile = $(say) CC $<; mkdir -p $(@D); $(CC) $(1) -MMD -MP -MF $(@:.o=.d) -c -o $@ $<
# $(call assemble,FLAGS): one assembly file.
assemble = $(say) NASM $<; mkdir -p $(@D); $(NASM) $(1) -MD $(@:.o=.d) -MP -o $@ $<
for_kernel := $(O)/kernel.flags | $(generated)
for_user   := $(B)/user.flags | $(generated)

$(O)/obj/kernel/%.c.o: kernel/%.c $(for_kernel)
	$(Q)$(call compile,$(kernel_cflags))
$(O)/obj/tests/kernel/%.c.o: tests/kernel/%.c $(for_kernel)
	$(Q)$(call compile,$(kernel_cflags))
$(O)/obj/gen/%.c.o: $(B)/gen/%.c $(for_kernel)
	$(Q)$(call compile,$(kernel_cflags))
$(O)/obj/kernel/%.asm.o: kernel/%.asm $(for_kernel)
	$(Q)$(call assemble,$(kernel_asflags))
$(O)/obj/boot/%.asm.o: boot/%.asm $(for_kernel)
	$(Q)$(call assemble,$(kernel_asflags))

$(B)/obj/libc/%.c.o: libc/%.c $(for_user)
	$(Q)$(call compile,$(libc_cflags) $(if $(filter $(libc_fast),$<),$(libc_fast_cflags)) \
	    $(if $(filter $(libc_leaves),$(filter-out $(libc_calling),$<)),$(libc_leaf_cflags)))
$(B)/obj/libc/%.asm.o: libc/%.asm $(for_user)
	$(Q)$(call assemble,$(asflags))
# NASM tells gdb the lines of one section of a file, and of this one would tell it wrong things.
$(B)/obj/gen/%.asm.o: $(B)/gen/%.asm $(for_user)
	$(Q)$(call assemble,$(filter-out -g -F dwarf,$(asflags)))
$(B)/obj/user/%.c.o: user/%.c $(for_user)
	$(Q)$(call compile,$(command_cflags))
$(B)/obj/user/%.asm.o: user/%.asm $(for_user)
	$(Q)$(call assemble,$(asflags))
$(B)/obj/tests/%.c.o: tests/%.c $(for_user)
	$(Q)$(call compile,$(user_cflags) -Itests/labs)

# --- the kernel -------------------------------------------------------------------------------------------
#
# Linked twice: the first image has no symbol table; its functions' names and addresses become an
# object that the second link puts behind the other constants. No function may move in between.

link_kernel = $(say) LD $@; $(LD) $(kernel_ldflags) -T linker.ld -o $@ $(filter %.o,$^)

$(O)/kernel.first.elf: $(kernel_objects) linker.ld
	$(Q)$(link_kernel)

$(O)/symbols.asm: $(O)/kernel.first.elf tools/gensymbols
	$(Q)tools/gensymbols $(NM) $< > $@

$(O)/obj/symbols.asm.o: $(O)/symbols.asm
	$(Q)$(NASM) $(asflags) -o $@ $<

$(O)/kernel.elf: $(kernel_objects) $(O)/obj/symbols.asm.o linker.ld
	$(Q)$(link_kernel)
	$(Q)tools/gensymbols $(NM) $@ | cmp -s - $(O)/symbols.asm || \
	    { echo "$@: the symbol table moved functions; see linker.ld" >&2; rm -f $@; exit 1; }

# User code, the same for both kernels; its symbols are left to gdb in the file beside it.
$(B)/obj/vdso/%.c.o: kernel/x86/vdso/%.c $(for_user)
	$(Q)$(call compile,$(vdso_cflags))
$(B)/vdso.debug.so: $(patsubst kernel/x86/vdso/%,$(B)/obj/vdso/%.o,$(vdso_sources)) kernel/x86/vdso/vdso.lds
	$(Q)$(say) LD $@
	$(Q)$(LD) $(vdso_ldflags) -T kernel/x86/vdso/vdso.lds -o $@ $(filter %.o,$^)
$(B)/vdso.so: $(B)/vdso.debug.so
	$(Q)$(OBJCOPY) --strip-all $< $@
$(O)/obj/kernel/x86/vdso_image.asm.o: $(B)/vdso.so

# --- library and programs -----------------------------------------------------------------------------------

# The library is made again when a file has gone, too.
$(B)/libc/objects: FORCE
	$(Q)mkdir -p $(@D)
	$(Q)echo '$(libc_objects)' | cmp -s - $@ || echo '$(libc_objects)' > $@
$(B)/libc/libc.a: $(libc_objects) $(B)/libc/objects
	$(Q)$(say) AR $@
	$(Q)rm -f $@ && $(AR) rcsD $@ $(libc_objects)

link_user = $(CC) $(user_ldflags) $(compact) -o $@ $(filter %.o %.a,$^) -lgcc
# In the initial file system each page of a file is one of memory: no padding in front of the data, then.
$(commands) $(demos) $(folder_programs): compact := -Wl,-z,common-page-size=64

$(commands) $(demos) $(test_programs): $(B)/%: $(B)/obj/%.c.o $(crt0) $(B)/libc/libc.a
	$(Q)$(say) LINK $@
	$(Q)mkdir -p $(@D)
	$(Q)$(link_user)

# The programs that are folders: linked from every file in theirs.
.SECONDEXPANSION:
# (A % that stood in the rule itself would become the stem: hence a function.)
folder_objects = $(patsubst %.c,$(B)/obj/%.c.o,$(wildcard user/$(1)/*.c))
$(folder_programs): $(B)/user/%: $$(call folder_objects,$$*) $(crt0) $(B)/libc/libc.a
	$(Q)$(say) LINK $@
	$(Q)mkdir -p $(@D)
	$(Q)$(link_user)

# Demos in assembly stand alone, without any library.
$(asm_demos): $(B)/%: $(B)/obj/%.asm.o
	$(Q)$(say) LINK $@
	$(Q)mkdir -p $(@D)
	$(Q)$(LD) -static -z noexecstack -z noseparate-code -z max-page-size=4096 --build-id=none -o $@ $<

$(demo_pages): $(B)/%: %
	$(Q)mkdir -p $(@D) && cp $< $@

$(B)/tests/musl/%: tests/conform/%.c $(for_user)
	$(Q)$(say) MUSL $@
	$(Q)mkdir -p $(@D)
	$(Q)musl-gcc -std=gnu17 -g -O2 -static -MMD -MP -MF $@.d -o $@ $<

$(B)/tests/unit/%: tests/unit/%.c $(for_user)
	$(Q)$(say) HOSTCC $@
	$(Q)mkdir -p $(@D)
	$(Q)$(HOSTCC) $(host_cflags) -MMD -MP -MF $@.d -o $@ $< -lm

## tests: build every test program, without running one
.PHONY: tests
tests: $(test_programs) $(musl_programs) $(unit_programs)

# --- the initial file system and the image ----------------------------------------------------------------
#
# A Linux initramfs: /init and our programs, Debian's static busybox with a link for each of its
# commands, and the few files of user/etc. Device nodes come from the kernel's own /dev.

etc_files := $(wildcard user/etc/*)
folders   := bin sbin usr/bin usr/sbin etc dev proc tmp root var/run home mnt demo

$(B)/initrd.cpio: $(folder_programs) $(commands) $(demos) $(asm_demos) $(demo_pages) $(etc_files) \
                  $(BUSYBOX) tools/trim Makefile
	$(Q)$(say) CPIO $@
	$(Q)rm -rf $(B)/root && mkdir -p $(folders:%=$(B)/root/%)
	$(Q)chmod 1777 $(B)/root/tmp && chmod 700 $(B)/root/root
	$(Q)install -m 755 $(BUSYBOX) $(B)/root/bin/busybox
	$(Q)for applet in $$($(BUSYBOX) --list); do \
	    [ $$applet = busybox ] || ln -s busybox $(B)/root/bin/$$applet; done
	$(Q)ln -s ../../bin/env $(B)/root/usr/bin/env
	$(Q)for program in $(commands) $(folder_programs); do \
	    rm -f $(B)/root/bin/$${program##*/}; \
	    $(OBJCOPY) --strip-all $$program $(B)/root/bin/$${program##*/} || exit 1; done
	$(Q)ln -sf poweroff $(B)/root/bin/reboot && ln -sf poweroff $(B)/root/bin/halt
	$(Q)for program in $(demos) $(asm_demos); do \
	    $(OBJCOPY) --strip-all $$program $(B)/root/demo/$${program##*/} || exit 1; done
	$(Q)tools/trim $(patsubst $(B)/user/%,$(B)/root/bin/%,$(commands) $(filter-out %/init,$(folder_programs))) \
	    $(patsubst $(B)/user/demo/%,$(B)/root/demo/%,$(demos) $(asm_demos))
	$(Q)$(if $(demo_pages),install -m 644 $(demo_pages) $(B)/root/demo/)
	$(Q)$(OBJCOPY) --strip-all $(B)/user/init $(B)/root/init && tools/trim $(B)/root/init
	$(Q)install -m 644 $(etc_files) $(B)/root/etc/ && chmod 755 $(B)/root/etc/rc
	$(Q)cd $(B)/root && find . -exec touch -h -d @0 '{}' + && find . | LC_ALL=C sort | \
	    cpio --quiet --create --format=newc --owner=0:0 --reproducible > ../initrd.cpio

ifneq ($(O),$(B))
$(O)/initrd.cpio: $(B)/initrd.cpio
	$(Q)mkdir -p $(@D) && ln -f $< $@
endif

$(O)/signalbox.iso: $(O)/kernel.elf $(O)/initrd.cpio boot/grub.cfg
	$(Q)$(say) ISO $@
	$(Q)rm -rf $(O)/iso && mkdir -p $(O)/iso/boot/grub
	$(Q)$(OBJCOPY) --strip-debug $(O)/kernel.elf $(O)/iso/boot/kernel.elf
	$(Q)cp $(O)/initrd.cpio $(O)/iso/boot/initrd.cpio
	$(Q)cp boot/grub.cfg $(O)/iso/boot/grub/grub.cfg
	$(Q)grub-mkrescue --locales= --fonts= --themes= -o $@ $(O)/iso > $(O)/iso.log 2>&1 || \
	    { cat $(O)/iso.log >&2; exit 1; }

# --- running ------------------------------------------------------------------------------------------------

## qemu: boot the GRUB image to a shell on this terminal (Ctrl-A x ends it, Ctrl-A b has the kernel report)
.PHONY: qemu qemu-gdb gdb
qemu: all
	$(Q)SIGNALBOX_BUILD=$(O) tools/run --iso --tty --net user --kernel-log $(O)/kernel.log

## qemu-gdb: the same without GRUB, halted before the first instruction until `make gdb` connects
#  As often at once as one likes: each has a socket of its own in $(O)/gdb, 1.sock, 2.sock ...
qemu-gdb: all
	$(Q)SIGNALBOX_BUILD=$(O) tools/run --tty --gdb $(O)/gdb/

## gdb: connect to the machine that `make qemu-gdb` started last and no gdb has yet (RUN=2: to 2.sock), with symbols
gdb:
	$(Q)gdb -q -x tools/gdb/signalbox.py \
	    -ex 'signalbox-connect $(CURDIR)/$(O)/gdb$(if $(RUN),/$(RUN).sock)' $(O)/kernel.elf

# --- tests ----------------------------------------------------------------------------------------------------

## test: run every test, or those whose name has T in it (make test T=pipe)
#  The tests use both kernels and one reading of this file builds one, so it is read twice more.
.PHONY: test
test:
	$(Q)$(MAKE) --no-print-directory DEBUG=0 all tests
	$(Q)$(MAKE) --no-print-directory DEBUG=1 all
	$(Q)PYTHONDONTWRITEBYTECODE=1 $(PYTHON) -m pytest -c tests/pytest.ini --rootdir=. \
	    $(if $(T),--select='$(T)')

## bench: measure this kernel beside Debian's Linux, in instructions (WALL=1: in nanoseconds too)
#  LINUX=none measures this one alone, LINUX=FILE takes another Linux.
.PHONY: bench
bench: $(B)/kernel.elf $(B)/user/init $(filter $(B)/tests/bench/%,$(test_programs))
	$(Q)PYTHONDONTWRITEBYTECODE=1 tools/bench $(if $(filter-out 0,$(WALL)),--wall) $(if $(LINUX),--linux $(LINUX))

## grade: grade a patch for a lab (make grade LAB=pipe PATCH=my.patch; a folder of patches does as well)
#  In a student's tree PATCH may be left out: what has changed is graded.
.PHONY: grade
grade:
	$(Q)tools/grade $(LAB) $(PATCH)

## format: lay out every C file as .clang-format says
c_files := $(wildcard kernel/*.[ch] kernel/*/*.[ch] kernel/*/*/*.[ch] \
                       libc/*/*.[ch] libc/include/*/*.h libc/*.[ch] user/*.[ch] \
                       user/*/*.[ch] tests/*/*.[ch] tests/labs/*/programs/*.[ch] tests/host/labs/*/programs/*.[ch])
.PHONY: format lint
format:
	$(Q)tools/deps lint
	$(Q)clang-format -i $(c_files)

## lint: check layout, clang-tidy's findings and our own rules
lint: $(generated)
	$(Q)tools/deps lint
	$(Q)clang-format --dry-run -Werror $(c_files)
	$(Q)tools/lint
	$(Q)clang-tidy --quiet $(wildcard kernel/*.c kernel/*/*.c) -- \
	    $(filter-out -fno-optimize-sibling-calls -mno-omit-leaf-frame-pointer -Werror \
	        -fno-tree-loop-distribute-patterns,$(kernel_cflags))

## syscalls: list every system call, its arguments and the file that implements it
.PHONY: syscalls deps clean help
syscalls:
	@tools/gensyscalls --list kernel/abi/syscalls.tbl

## deps: install what this machine lacks (Debian)
deps:
	$(Q)tools/deps

## clean: remove everything that was built
clean:
	$(Q)rm -rf build

## help: this list
help:
	@echo 'Targets (add DEBUG=1 for the checking build, V=1 to see commands):'
	@sed -n 's/^## \([a-z-]*\): /  \1|/p' Makefile | awk -F'|' '{ printf "%-12s %s\n", $$1, $$2 }'

-include $(shell find $(O)/obj $(O)/tests -name '*.d' 2>/dev/null)
