# shellcheck shell=bash
# What the tests' GPU needs: the Vulkan loader, and lavapipe, Mesa's software driver, by its manifest and the library it names.

probe_vulkan() { opens libvulkan.so.1; }

lavapipe_manifests() {
  local folder place
  if [ -n "${VK_DRIVER_FILES:-${VK_ICD_FILENAMES:-}}" ]; then
    while read -r place; do # a file, or a folder of them
      if [ -d "$place" ]; then compgen -G "$place/lvp_icd*.json"; elif [[ $place == */lvp_icd* ]]; then echo "$place"; fi
    done < <(tr : '\n' <<<"${VK_DRIVER_FILES:-$VK_ICD_FILENAMES}")
    return
  fi
  for folder in /etc ${XDG_DATA_DIRS:+${XDG_DATA_DIRS//:/ }} /usr/local/share /usr/share; do
    compgen -G "$folder/vulkan/icd.d/lvp_icd*.json"
  done
}

probe_lavapipe() {
  local manifest library said='no lvp_icd*.json in a folder vulkan/icd.d'
  while read -r manifest; do
    library=$(sed -n 's/.*"library_path" *: *"\(.*\)".*/\1/p' "$manifest" 2>/dev/null)
    [[ $library != */* || $library = /* ]] || library=${manifest%/*}/$library
    if [ -n "$library" ] && said=$(opens "$library"); then return; fi
  done < <(lavapipe_manifests)
  echo "$said"
  return 1
}
