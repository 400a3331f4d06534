#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

// A program may be started with closed standard descriptors (`mrdib train >&-`, a service manager,
// a cron job). The next file that is opened gets the lowest free number, so results would be
// written into the run's lock file, or progress into an internal pipe.

static _Noreturn void give_up(void) {
  static const char sentence[] =
      "mrdib: Cannot open /dev/null in place of a standard descriptor that is closed; start the "
      "program with 0, 1 and 2 open.\n";
  struct pollfd errors = {.fd = STDERR_FILENO, .events = POLLOUT};
  // An unread pipe must not keep the process alive.
  if (poll(&errors, 1, 0) == 1 && (errors.revents & POLLOUT)) {
    ssize_t ignored = write(STDERR_FILENO, sentence, strlen(sentence));
    (void)ignored;
  }
  _exit(EX_OSERR);
}

static void occupy_standard_descriptors(void) {
  // Opened in the wrong direction, as in gnulib's stdopen: using them fails with EBADF as if they
  // were closed, so that lost results are still detected.
  static const int modes[] = {O_WRONLY, O_RDONLY, O_RDONLY};
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; descriptor++) {
    if (fcntl(descriptor, F_GETFD) >= 0) continue;
    // All lower descriptors are open, so open returns this one. It stays open across exec, where it
    // has the same meaning.
    if (open("/dev/null", modes[descriptor]) != descriptor) give_up();
  }
}

// Before the constructors of shared libraries, which may open files too.
__attribute__((section(".preinit_array"), used)) static void (*const before_everything)(void) =
    occupy_standard_descriptors;
