# SPDX-License-Identifier: MIT
# frozen_string_literal: true

module Seqshare
  # What the library returned: its errno value, and its sentence. Those that a program may want to rescue have a class.
  class Error < StandardError
    attr_reader :errno

    def initialize(message = nil, errno = 0)
      super(message)
      @errno = errno
    end
  end

  class NoValueError < Error; end # nothing has been published yet
  class NotFoundError < Error; end # no share has that name
  class ExistsError < Error; end # the name is taken
  class AccessError < Error; end # this user, or this share, may not
  class TimeoutError < Error; end # another thread or process has the lock
  class ClosedError < Error; end # the share is closed
  class DocumentError < Error; end # not a document, or not a share

  # set_if: the current version is not the expected one, but `version`.
  class StaleError < Error
    attr_accessor :version
  end

  ERRORS = {
    Errno::ENODATA::Errno => NoValueError, Errno::ENOENT::Errno => NotFoundError, Errno::EEXIST::Errno => ExistsError,
    Errno::EACCES::Errno => AccessError, Errno::EPERM::Errno => AccessError, Errno::EROFS::Errno => AccessError,
    Errno::ETIMEDOUT::Errno => TimeoutError, Errno::EBADMSG::Errno => DocumentError, Errno::ESTALE::Errno => StaleError
  }.freeze
  private_constant :ERRORS

  # :nodoc:
  def self.failure(number, label)
    ERRORS.fetch(number, Error).new("#{label}: #{Native.strerror(number)}", number)
  end
end
