include(CheckCXXSourceCompiles)

# Asks the compiler rather than CMAKE_SYSTEM_PROCESSOR: also right when cross-compiling and for universal binaries.
check_cxx_source_compiles("
#if !defined(__x86_64__) && !(defined(_M_X64) && !defined(_M_ARM64EC))
#error not x86-64
#endif
int main() { return 0; }" RIATA_TARGET_IS_X86_64)

# Products and sums are rounded one by one unless the code asks for a fused operation: the same bits from any compiler.
function(riata_compile_options target)
  if(MSVC)
    target_compile_options(${target} PRIVATE /fp:precise /utf-8 /bigobj)
  else()
    target_compile_options(${target} PRIVATE -ffp-contract=off)
  endif()
  if(RIATA_SANITIZE)
    # Without the checks at every access, which take 40 % of the compiler's time: the address sanitizer ends at null and
    # outside of objects too, and what is cast to another type here is bytes.
    target_compile_options(${target} PRIVATE
      -O1 -g1 -fsanitize=address,undefined -fno-sanitize=null,alignment,object-size -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC "$<BUILD_INTERFACE:-fsanitize=address,undefined>")
  endif()
  if(RIATA_SANITIZE_THREADS)
    target_compile_options(${target} PRIVATE -O0 -g1 -fsanitize=thread)
    target_link_options(${target} PUBLIC "$<BUILD_INTERFACE:-fsanitize=thread>")
  endif()
  if(RIATA_WARNINGS)
    if(MSVC)
      target_compile_options(${target} PRIVATE /W4)
    else()
      target_compile_options(${target} PRIVATE -Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow)
    endif()
  endif()
endfunction()

# riata_x86_sources(target AVX2 files... AVX512 files... VNNI files...): wider instruction sets for these files alone.
# Elsewhere than on x86-64 the files get no flags and compile to an empty table.
function(riata_x86_sources target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "AVX2;AVX512;VNNI")
  if(NOT RIATA_TARGET_IS_X86_64)
    return()
  endif()
  if(MSVC)
    set(avx2 /arch:AVX2)
    set(avx512 /arch:AVX512)
    set(vnni ${avx512})
  else()
    set(avx2 -mavx2 -mfma)
    set(avx512 -mavx2 -mfma -mavx512f -mavx512bw -mavx512vl -mavx512dq -mavx512cd)
    set(vnni ${avx512} -mavx512vnni -mavx512vpopcntdq)
  endif()
  set_source_files_properties(${arg_AVX2} PROPERTIES COMPILE_OPTIONS "${avx2}")
  set_source_files_properties(${arg_AVX512} PROPERTIES COMPILE_OPTIONS "${avx512}")
  set_source_files_properties(${arg_VNNI} PROPERTIES COMPILE_OPTIONS "${vnni}")
endfunction()
