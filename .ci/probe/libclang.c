/* Opens the library named first and has it read the C file named second, with the words that follow: what the generator of the MPI
   bindings does with libclang. Prints the first error. Written without libclang's headers, which the build does not need. */
#include <dlfcn.h>
#include <stdio.h>

typedef struct {
  const void *data;
  unsigned flags;
} String;

int main(int count, char **words) {
  if (count < 3) return 0;
  void *library = dlopen(words[1], RTLD_NOW);
  if (!library) return puts(dlerror()), 1;
  void *(*create)(int, int) = (void *(*)(int, int))dlsym(library, "clang_createIndex");
  void *(*parse)(void *, const char *, const char *const *, int, void *, unsigned, unsigned) =
      (void *(*)(void *, const char *, const char *const *, int, void *, unsigned, unsigned))dlsym(
          library, "clang_parseTranslationUnit");
  unsigned (*diagnostics)(void *) = (unsigned (*)(void *))dlsym(library, "clang_getNumDiagnostics");
  void *(*diagnostic)(void *, unsigned) = (void *(*)(void *, unsigned))dlsym(library, "clang_getDiagnostic");
  int (*severity)(void *) = (int (*)(void *))dlsym(library, "clang_getDiagnosticSeverity");
  String (*spelling)(void *) = (String(*)(void *))dlsym(library, "clang_getDiagnosticSpelling");
  if (!create || !parse || !diagnostics || !diagnostic || !severity || !spelling)
    return printf("%s is not libclang\n", words[1]), 1;
  void *unit = parse(create(0, 0), words[2], (const char *const *)words + 3, count - 3, 0, 0, 0);
  if (!unit) return printf("%s cannot read a C file\n", words[1]), 1;
  for (unsigned i = 0; i < diagnostics(unit); i++)
    if (severity(diagnostic(unit, i)) >= 3) return puts(spelling(diagnostic(unit, i)).data), 1;
  return 0;
}
