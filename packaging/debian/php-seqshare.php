mod debian/seqshare.ini
