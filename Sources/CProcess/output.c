#include "CProcess.h"

#include <errno.h>
#include <stdio.h>

void cprocess_write_error(const char *text) { (void)fputs(text, stderr); }

int cprocess_flush_output(void) {
  errno = 0;
  if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
  // An earlier failure has not left its reason.
  return errno != 0 ? errno : EIO;
}
