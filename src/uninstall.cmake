# SPDX-License-Identifier: MIT
# Removes what `cmake --install` has put in place, in BUILD's last installation, and what older versions have left
# beside it: libraries with another number, headers that are no longer there.
set(manifest ${BUILD}/install_manifest.txt)
if(NOT EXISTS ${manifest})
  message(FATAL_ERROR "There is no ${manifest}: nothing has been installed from here. "
    "`cmake --install` of the same version writes it.")
endif()
file(STRINGS ${manifest} files)

foreach(file IN LISTS files)
  get_filename_component(folder ${file} DIRECTORY)
  if(file MATCHES "/libseqshare(-[a-z]+)?[.]so$")
    file(GLOB others LIST_DIRECTORIES false "$ENV{DESTDIR}${file}.[0-9]*")
  elseif(folder MATCHES "/seqshare$") # headers, CMake's package: folders of ours alone
    file(GLOB others LIST_DIRECTORIES false "$ENV{DESTDIR}${folder}/*")
    list(APPEND folders $ENV{DESTDIR}${folder})
  else()
    set(others)
  endif()
  list(APPEND remove $ENV{DESTDIR}${file} ${others})
endforeach()

list(REMOVE_DUPLICATES remove)
list(SORT remove)
foreach(file IN LISTS remove)
  if(EXISTS ${file} OR IS_SYMLINK ${file})
    message(STATUS "Removing ${file}")
    file(REMOVE ${file})
  endif()
endforeach()
foreach(folder IN LISTS folders)
  file(GLOB left ${folder}/*)
  if(IS_DIRECTORY ${folder} AND NOT left)
    file(REMOVE_RECURSE ${folder})
  endif()
endforeach()
