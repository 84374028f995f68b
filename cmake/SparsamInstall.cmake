# The package that other projects find with find_package(Sparsam).
configure_package_config_file(cmake/SparsamConfig.cmake.in
  ${PROJECT_BINARY_DIR}/SparsamConfig.cmake
  INSTALL_DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sparsam)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/SparsamConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/SparsamConfig.cmake
              ${PROJECT_BINARY_DIR}/SparsamConfigVersion.cmake
              cmake/SparsamTableGen.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sparsam)
install(EXPORT SparsamTargets NAMESPACE Sparsam::
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/sparsam)
foreach(tree ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR})
  install(DIRECTORY ${tree}/include/sparsam DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
    FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
    PATTERN "CMakeFiles" EXCLUDE)
endforeach()
install(DIRECTORY include/sparsam-c DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
