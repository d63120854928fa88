# The backends that are libraries of their own: CUDA, and its kernels on the processor for tests.

if(NOT REMANENCE_CUDA MATCHES "^(AUTO|ON|OFF)$")
  message(FATAL_ERROR "REMANENCE_CUDA must be AUTO, ON or OFF (got '${REMANENCE_CUDA}')")
endif()

set(cuda_host cpp/src/cuda/communities.cpp cpp/src/cuda/cover.cpp cpp/src/cuda/decay.cpp cpp/src/cuda/graph.cpp
              cpp/src/cuda/graph_mirror.cpp cpp/src/cuda/mirror.cpp cpp/src/cuda/paths_between.cpp
              cpp/src/cuda/plugin.cpp cpp/src/cuda/push.cpp cpp/src/cuda/search.cpp
              cpp/src/cuda/batch.cpp cpp/src/cuda/memory.cpp cpp/src/cuda/question.cpp cpp/src/cuda/single.cpp
              cpp/src/cuda/walk.cpp cpp/src/cuda/words.cpp)

# One exported function, nothing missing, no library of CUDA needed but the driver.
function(remanence_backend name)
  add_library(remanence_${name} MODULE ${ARGN})
  target_include_directories(remanence_${name} PRIVATE cpp/include cpp/src)
  target_link_libraries(remanence_${name} PRIVATE remanence_flags Threads::Threads
                        ${CMAKE_DL_LIBS})
  target_compile_definitions(remanence_${name} PRIVATE REMANENCE_BACKEND="${name}")
  target_link_options(remanence_${name} PRIVATE LINKER:--exclude-libs,ALL)
  if(NOT REMANENCE_SANITIZE)
    target_link_options(remanence_${name} PRIVATE LINKER:--no-undefined)
  endif()
  install(TARGETS remanence_${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
endfunction()

if(NOT REMANENCE_CUDA STREQUAL "OFF")
  include(CheckLanguage)
  if(NOT CMAKE_CUDA_COMPILER)
    find_program(found_nvcc nvcc PATHS /usr/local/cuda/bin)
    if(found_nvcc)
      set(CMAKE_CUDA_COMPILER ${found_nvcc})
    endif()
  endif()
  if(NOT CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90)  # the last one also as PTX, for what comes after
  endif()
  if(CMAKE_CUDA_COMPILER)
    check_language(CUDA)
  endif()
  if(CMAKE_CUDA_COMPILER)
    enable_language(CUDA)
    find_package(CUDAToolkit REQUIRED)
    remanence_backend(cuda ${cuda_host} cpp/src/cuda/kernels.cu cpp/src/cuda/runtime.cpp)
    target_include_directories(remanence_cuda SYSTEM PRIVATE ${CUDAToolkit_INCLUDE_DIRS})
    set_target_properties(remanence_cuda PROPERTIES
      CUDA_RUNTIME_LIBRARY Static CUDA_STANDARD 20 CUDA_STANDARD_REQUIRED ON
      CUDA_VISIBILITY_PRESET hidden)
    # Without -fmad=false a device would not return the processor's bits. nvcc writes parentheses
    # into declarations that the compiler behind it then finds superfluous.
    target_compile_options(remanence_cuda PRIVATE
      $<$<COMPILE_LANGUAGE:CUDA>:-fmad=false --threads=2 -Xcompiler=-Wall,-Wextra,-Wno-psabi,-Wno-parentheses>)
    if(REMANENCE_WERROR)
      target_compile_options(remanence_cuda PRIVATE
        $<$<COMPILE_LANGUAGE:CUDA>:-Werror=all-warnings -Xptxas=-warn-spills>)
    endif()
  elseif(REMANENCE_CUDA STREQUAL "ON")
    message(FATAL_ERROR "REMANENCE_CUDA=ON, but there is no nvcc (set CUDACXX or PATH)")
  else()
    message(STATUS "no nvcc: built without the CUDA backend")
  endif()
endif()

if(REMANENCE_EMULATED)
  remanence_backend(emulated ${cuda_host}
    cpp/src/cuda/emulated/emulator.cpp
    cpp/src/cuda/emulated/fiber.cpp
    cpp/src/cuda/emulated/kernels.cpp
    cpp/src/cuda/emulated/runtime.cpp)
  target_compile_definitions(remanence_emulated PRIVATE REMANENCE_EMULATED)
  if(REMANENCE_SANITIZE STREQUAL "thread")
    # The scheduler tells the sanitizer what orders what; its own state is not to be watched.
    set_source_files_properties(cpp/src/cuda/emulated/emulator.cpp cpp/src/cuda/emulated/fiber.cpp
      PROPERTIES COMPILE_OPTIONS -fno-sanitize=thread COMPILE_DEFINITIONS REMANENCE_EMULATED_TSAN)
  endif()
endif()
