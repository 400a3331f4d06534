#include <pthread.h>
#include <sys/eventfd.h>
#include <zmq.h>

// glibc declares it under _GNU_SOURCE only, which Swift's Glibc module is built without.
int pthread_setname_np(pthread_t thread, const char *name);

// Every libzmq from 4.3.0 on understands it; its header shows it to builds with draft functions only.
#ifndef ZMQ_ZAP_ENFORCE_DOMAIN
#define ZMQ_ZAP_ENFORCE_DOMAIN 93
#endif
