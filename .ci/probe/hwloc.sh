# shellcheck shell=bash
# hwloc as its bindings ask for it: pkg-config's hwloc 2, and all libraries of a static link, of which libudev is one on Debian.

hwloc_flags() { "${PKG_CONFIG:-pkg-config}" --static --cflags --libs 'hwloc >= 2.0.0' 'hwloc < 3.0.0' 2>&1; }

probe_pkg_config() {
  command -v "${PKG_CONFIG:-pkg-config}" >/dev/null || { echo "there is no ${PKG_CONFIG:-pkg-config}"; return 1; }
}

probe_hwloc() {
  local flags
  flags=$(hwloc_flags) || { gist <<<"$flags"; return 1; }
  # What fails for want of libudev is libudev's.
  probe_udev >/dev/null || flags=${flags//-ludev/}
  # shellcheck disable=SC2086 # pkg-config's flags are words
  compiles hwloc cc $flags <<<$'#include <hwloc.h>\nint main(void) { return hwloc_get_api_version() >> 16 != 2; }'
}

probe_udev() {
  local flags
  if flags=$(hwloc_flags) && [[ $flags != *-ludev* ]]; then return; fi
  compiles udev cc -ludev <<<$'#include <libudev.h>\nint main(void) { udev_unref(0); return 0; }'
}
