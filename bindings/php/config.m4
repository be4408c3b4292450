dnl SPDX-License-Identifier: MIT
PHP_ARG_ENABLE([seqshare], [whether to enable seqshare],
  [AS_HELP_STRING([--enable-seqshare], [Enable seqshare: hot configuration that processes share])])

if test "$PHP_SEQSHARE" != "no"; then
  PKG_CHECK_MODULES([SEQSHARE], [seqshare-json >= 0.1])
  PHP_EVAL_INCLINE($SEQSHARE_CFLAGS)
  PHP_EVAL_LIBLINE($SEQSHARE_LIBS, SEQSHARE_SHARED_LIBADD)
  PHP_SUBST(SEQSHARE_SHARED_LIBADD)
  PHP_ADD_EXTENSION_DEP(seqshare, json)
  PHP_NEW_EXTENSION(seqshare,
    [seqshare.c served.c follow.c good.c log.c document.c pointer.c encode.c shape.c share.c write.c update.c lock.c], $ext_shared,,
    [-std=gnu11 -DZEND_ENABLE_STATIC_TSRMLS_CACHE=1])
fi
