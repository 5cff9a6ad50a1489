/* Lets the User Mode Linux kernel of Debian 12 (6.1) run on a processor with Intel AMX.
 *
 * It keeps the first kilobytes of its processes' extended state and writes just these back, but the
 * host's kernel takes the whole state or none (EFAULT), and AMX made it 8 KiB longer. Here the rest
 * is read from the process and written back with it. Preloaded by guest.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#define WHOLE_STATE 65536

long ptrace(enum __ptrace_request request, ...)
{
    static long (*libc_ptrace)(enum __ptrace_request, ...);
    static char whole[WHOLE_STATE] __attribute__((aligned(64)));
    if (!libc_ptrace)
        libc_ptrace = (long (*)(enum __ptrace_request, ...))dlsym(RTLD_NEXT, "ptrace");

    va_list rest;
    va_start(rest, request);
    pid_t process = va_arg(rest, pid_t);
    void *address = va_arg(rest, void *);
    void *data = va_arg(rest, void *);
    va_end(rest);

    if (request == PTRACE_SETREGSET && address == (void *)NT_X86_XSTATE) {
        const struct iovec *given = data;
        struct iovec all = {whole, sizeof whole};
        if (libc_ptrace(PTRACE_GETREGSET, process, address, &all) == 0 && given->iov_len < all.iov_len) {
            memcpy(whole, given->iov_base, given->iov_len);
            return libc_ptrace(request, process, address, &all);
        }
    }
    return libc_ptrace(request, process, address, data);
}
