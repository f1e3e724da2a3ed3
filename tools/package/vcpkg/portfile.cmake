# An overlay port: vcpkg install holdfast --overlay-ports=tools/package/vcpkg, from a clone of the repository.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

set(simulation false)
set(file disabled)
if("simulation" IN_LIST FEATURES)
  set(simulation true)
endif()
if(simulation OR "file" IN_LIST FEATURES)
  set(file enabled)
endif()

vcpkg_configure_meson(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS -Dtests=false -Dbenchmarks=false -Dsimulation=${simulation} -Dfile=${file})
vcpkg_install_meson()
vcpkg_cmake_config_fixup(CONFIG_PATH lib/cmake/holdfast)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
