# SPDX-License-Identifier: MIT
# frozen_string_literal: true

require "json"

module Seqshare
  # JSON documents that every language reads.
  module Document # :nodoc:
    DEEPEST = 512 # of the grammar of all languages; json's own limit is 100

    class << self
      # The text of a document that the library's grammar accepts.
      def encode(value)
        text = JSON.generate(plain(value, 0), max_nesting: DEEPEST, script_safe: false)
        fault = Native.check_json(text)
        raise DocumentError.new("not a JSON document: #{fault}", Errno::EBADMSG::Errno) if fault

        text
      end

      # Frozen all the way down. It makes no object of another class, whatever the text says.
      def decode(text)
        Native.decode_json(text)
      end

      # A copy that is the caller's own to change.
      def thaw(value)
        case value
        when Hash then value.to_h { |name, member| [name, thaw(member)] }
        when Array then value.map { |member| thaw(member) }
        when String then value.dup
        else value
        end
      end

      private

      def refuse(why)
        raise DocumentError.new("not a JSON document: #{why}", Errno::EBADMSG::Errno)
      end

      # Hashes, arrays, strings, numbers, true, false and nil. Symbols become strings. Everything else has no form in
      # JSON: json would publish "#<Object:0x...>".
      def plain(value, depth)
        case value
        when Hash then members(value, depth)
        when Array then refuse_too_deep(depth) || value.map { |member| plain(member, depth + 1) }
        when String then utf8(value)
        when Symbol then utf8(value.name)
        when Integer, true, false, nil then value
        when Float then value.finite? ? value : refuse("#{value} is not a number in JSON")
        else raise TypeError, "#{value.class} has no form in JSON: make strings, numbers, arrays and hashes of it"
        end
      end

      def members(hash, depth)
        refuse_too_deep(depth)
        hash.to_h do |name, member|
          unless name.is_a?(String) || name.is_a?(Symbol)
            raise TypeError, "a name in a document is a String or a Symbol, not #{name.class}: #{name.inspect}"
          end
          [utf8(name.to_s), plain(member, depth + 1)]
        end
      end

      def refuse_too_deep(depth)
        refuse("it is more than #{DEEPEST} deep, or contains itself") if depth >= DEEPEST
      end

      # Bytes of no known encoding may be UTF-8, as what was read from a socket.
      def utf8(string)
        text = string.encoding == Encoding::BINARY ? string.dup.force_encoding(Encoding::UTF_8) : string.encode(Encoding::UTF_8)
        return text if text.valid_encoding?

        refuse("a string is not UTF-8: #{string.inspect[0, 60]}")
      rescue EncodingError => error
        refuse("a string cannot be UTF-8: #{error.message}")
      end
    end
  end
end
