/* Loaded before the C library, lets the program have only so many threads of its own at a time as HYBRID_TEST_THREADS says: what a
 * limit on processes does, but not for threads of MPI's and drivers' libraries, and for root too. A thread counts until it was joined,
 * so that how many start does not depend on how soon one ends. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 256 };

struct work {
  void *(*start)(void *);
  void *argument;
  pthread_t thread;
  bool is_used, has_ended, is_detached;
};

static struct work works[MOST];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *counted(void *argument) {
  struct work *work = argument;
  void *result = work->start(work->argument);
  pthread_mutex_lock(&lock);
  work->has_ended = true;
  if (work->is_detached) work->is_used = false;
  pthread_mutex_unlock(&lock);
  return result;
}

/* The work of `thread`, with the lock held. */
static struct work *work_of(pthread_t thread) {
  for (int i = 0; i < MOST; i++)
    if (works[i].is_used && !works[i].is_detached && pthread_equal(works[i].thread, thread)) return &works[i];
  return NULL;
}

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*start)(void *), void *argument) {
  int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) = dlsym(RTLD_NEXT, "pthread_create");
  Dl_info of;
  const char *limit = getenv("HYBRID_TEST_THREADS");
  const char *name = limit && dladdr((void *)start, &of) && of.dli_fname ? strrchr(of.dli_fname, '/') : NULL;
  if (!name || strcmp(name, "/hybrid") != 0) return create(thread, attributes, start, argument);
  pthread_mutex_lock(&lock);
  int running = 0;
  struct work *work = NULL;
  for (int i = 0; i < MOST; i++) {
    running += works[i].is_used;
    if (!works[i].is_used) work = &works[i];
  }
  int error = EAGAIN;
  if (work && running < atoi(limit)) {
    *work = (struct work){.start = start, .argument = argument};
    error = create(thread, attributes, counted, work);
    if (error == 0) work->thread = *thread;
    work->is_used = error == 0;
  }
  pthread_mutex_unlock(&lock);
  return error;
}

int pthread_join(pthread_t thread, void **result) {
  int (*join)(pthread_t, void **) = dlsym(RTLD_NEXT, "pthread_join");
  pthread_mutex_lock(&lock);
  struct work *work = work_of(thread);
  pthread_mutex_unlock(&lock);
  int error = join(thread, result);
  if (work && error == 0) {
    pthread_mutex_lock(&lock);
    work->is_used = false;
    pthread_mutex_unlock(&lock);
  }
  return error;
}

int pthread_detach(pthread_t thread) {
  int (*detach)(pthread_t) = dlsym(RTLD_NEXT, "pthread_detach");
  pthread_mutex_lock(&lock);
  struct work *work = work_of(thread);
  if (work) {
    work->is_detached = true;
    work->is_used = !work->has_ended;
  }
  pthread_mutex_unlock(&lock);
  return detach(thread);
}
