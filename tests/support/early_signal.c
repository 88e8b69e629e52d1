// A signal at the worst moment: loaded into `hybrid` before the C library (LD_PRELOAD), sends it SIGUSR1 as soon as it has a handler
// for that, before the handler can have been told what to do. Leaves alone what the MPI library starts.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

int sigaction(int number, const struct sigaction *action, struct sigaction *old) {
    static int sent;
    int (*real)(int, const struct sigaction *, struct sigaction *) = dlsym(RTLD_NEXT, "sigaction");
    int result = real(number, action, old);
    int takes_it = number == SIGUSR1 && action != NULL && action->sa_handler != SIG_DFL && result == 0;
    if (takes_it && strcmp(program_invocation_short_name, "hybrid") == 0 && !sent++) raise(SIGUSR1);
    return result;
}
