# cmake -DBUILD=… -DGENERATOR=… -DCOMPILER=… -P run.cmake
# Installs BUILD (which has been built) into a fresh prefix, builds the project
# beside this file against it, and runs that.
set(work ${BUILD}/consumer)
set(prefix ${work}/prefix)
file(REMOVE_RECURSE ${work})

function(must_succeed what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status
    OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${what} failed:\n${output}")
  endif()
endfunction()

must_succeed("installing" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
must_succeed("configuring against the installed library"
  ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR} -B ${work}/build
  -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${COMPILER}
  -DCMAKE_PREFIX_PATH=${prefix})
must_succeed("building against the installed library"
  ${CMAKE_COMMAND} --build ${work}/build)
must_succeed("running the program" ${work}/build/consumer ${work}/store)
