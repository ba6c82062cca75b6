; Where traps and interrupts enter the kernel, and where every thread leaves it.
;
; Each vector has an entry of 16 bytes that completes the frame the processor pushed to the upper
; part of struct regs; trap_common pushes the rest and calls the vector's function in trap_table. A
; trap from user mode goes out by user_return, which first does what thread->work asks for; one from
; kernel mode goes back to where it came from: the kernel is not preempted.
;
; rbp gets the address of the registers plus one: a backtrace that meets an odd frame pointer knows
; that it has come to a trap and goes on in the code that was interrupted.

%include "x86/regs.inc"
%include "x86/cfi.inc"

extern trap_table, trap_bad_return, user_return_work, sched_finish_switch, kthread_returned

section .text

; Vectors for which the processor pushes an error code: 8, 10-14, 17, 21, 29, 30.
%define HAS_ERROR(v) ((0x60227d00 >> (v)) & 1)

align 16
CFI_BEGIN trap_entries, CFI_ENTRY
%assign vector 0
%rep 256
        align 16
%if vector < 32 && HAS_ERROR(vector)
        CFI_DEPTH 48
        push    qword [rsp]             ; the error code to its place, one down
        CFI_PUSHED
        mov     dword [rsp + 8], vector ; above its low half the error code is zero
%else
        CFI_DEPTH 40
        push    vector
        CFI_PUSHED
        push    0
        CFI_PUSHED
%endif
%if vector == 2 || vector == 8 || vector == 18
        jmp     near trap_own_stack
%else
        jmp     near trap_common
%endif
%assign vector vector + 1
%endrep
        align 16
        CFI_END

CFI_BEGIN trap_common, CFI_ENTRY
        CFI_DEPTH 56
        push    -1                      ; orig_rax: not a system call
        CFI_PUSHED
        PUSH_REGS
        cld
        CLAC
        lea     rbp, [rsp + 1]
        mov     rdi, rsp
        mov     eax, [rsp + REGS_TRAPNO]
        sub     rsp, 8                  ; keeps the stack aligned to 16 at the call
        CFI_REGS 8
        test    byte [rdi + REGS_CS], 3
        jz      .from_kernel
        swapgs
        call    [trap_table + rax * 8]
        add     rsp, 8
        CFI_REGS 0
        cli
        jmp     user_return
.from_kernel:
        CFI_REGS 8
        call    [trap_table + rax * 8]
        add     rsp, 8
        CFI_REGS 0
        POP_REGS
        add     rsp, REGS_ABOVE_GPRS
        CFI_DEPTH 40
        iretq
        CFI_END

; NMI, double fault, machine check: on a stack of their own, from anywhere, GS swapped or not. The
; word above the frame is this CPU's struct cpu.
CFI_BEGIN trap_own_stack, CFI_ENTRY
        CFI_DEPTH 56
        push    -1
        CFI_PUSHED
        PUSH_REGS
        cld
        CLAC
        lea     rbp, [rsp + 1]
        mov     ecx, MSR_GS_BASE
        rdmsr
        mov     r12d, eax
        mov     r13d, edx
        mov     eax, [rsp + REGS_SIZE]
        mov     edx, [rsp + REGS_SIZE + 4]
        wrmsr
        mov     rdi, rsp
        mov     eax, [rsp + REGS_TRAPNO]
        sub     rsp, 8
        CFI_REGS 8
        call    [trap_table + rax * 8]
        add     rsp, 8
        CFI_REGS 0
        mov     ecx, MSR_GS_BASE
        mov     eax, r12d
        mov     edx, r13d
        wrmsr
        POP_REGS
        add     rsp, REGS_ABOVE_GPRS
        CFI_DEPTH 40
        iretq
        CFI_END

; The way out to user mode. rsp points at the registers, interrupts are off; they stay off from the
; last look at thread->work to the iretq, so that no work slips in between.
CFI_BEGIN user_return, CFI_ENTRY
        CFI_REGS 0
        mov     rax, [gs:CPU_CURRENT]
        cmp     dword [rax + THREAD_WORK], 0
        jne     .work
        mov     rax, [rsp + REGS_RIP]
        shr     rax, 47
        jnz     .bad_rip                ; iretq would fault here, in the kernel
        POP_REGS
        add     rsp, REGS_ABOVE_GPRS
        CFI_DEPTH 40
        swapgs
        iretq
.work:
        CFI_REGS 0
        sti
        mov     rdi, rsp
        sub     rsp, 8
        CFI_REGS 8
        call    user_return_work
        add     rsp, 8
        CFI_REGS 0
        cli
        jmp     user_return
.bad_rip:
        mov     rdi, rsp
        sub     rsp, 8
        CFI_REGS 8
        call    trap_bad_return
        add     rsp, 8
        CFI_REGS 0
        cli
        jmp     user_return
        CFI_END

; A kernel thread that has become a user process (its registers stand at rdi) goes there.
CFI_BEGIN arch_enter_user, CFI_FIRST
        cli
        mov     rsp, rdi
        jmp     user_return
        CFI_END

; First instructions of a new thread, where switch_stacks "returns" to with rax = the thread before.
CFI_BEGIN thread_start_user, CFI_ENTRY
        CFI_REGS 0
        mov     rdi, rax
        sub     rsp, 8
        CFI_REGS 8
        call    sched_finish_switch
        add     rsp, 8
        CFI_REGS 0
        cli
        jmp     user_return
        CFI_END

CFI_BEGIN thread_start_kernel, CFI_FIRST        ; r12 = function, r13 = its argument
        mov     rdi, rax
        call    sched_finish_switch
        sti
        mov     rdi, r13
        call    r12
        call    kthread_returned
        ud2
        CFI_END
