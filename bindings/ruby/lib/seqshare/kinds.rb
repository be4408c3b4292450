# SPDX-License-Identifier: MIT
# frozen_string_literal: true

module Seqshare
  # How values become objects and back. The type tag of a value says what it is.
  module Kind # :nodoc:
    def self.of(codec, type, type_name)
      return Packed.new(type, type_name) if type

      case codec
      when :json then JSON_DOCUMENT
      when :bytes then BYTES
      else raise ArgumentError, "there is no codec #{codec.inspect}: :json, :bytes, or a type:"
      end
    end

    # JSON documents.
    class JSONDocument
      def tag = Native.tag("json", 0)
      def size = 0
      def format = nil
      def encode(value) = Document.encode(value)
      def decode(bytes) = Document.decode(bytes)
      def thaw(value) = Document.thaw(value)
      def accepts?(tag, _length) = [0, self.tag, Native.tag("perl.JSON", 0)].include?(tag)
    end

    # Bytes, as they are.
    class Bytes
      def tag = 0
      def size = 0
      def format = nil
      def decode(bytes) = bytes
      def thaw(value) = value.dup
      def accepts?(_tag, _length) = true

      def encode(value)
        raise TypeError, "the codec :bytes takes a String, not #{value.class}" unless value.is_a?(String)

        value
      end
    end

    # Arrays of numbers and strings, by a format of Array#pack: what C reads and writes with SEQSHARE_TYPE.
    class Packed
      attr_reader :tag, :size, :format

      def initialize(format, name)
        raise ArgumentError, "the type needs the name that C gives it: type_name:" unless name
        raise ArgumentError, "a type has a fixed size, and no pointers: #{format}" if format.match?(/[*pPwUuMm]/)

        @format = format.dup.freeze
        @size = size_of(@format)
        raise ArgumentError, "a type of no bytes cannot be shared" if @size.zero?

        @tag = Native.tag(name, @size)
        freeze
      end

      def encode(value)
        bytes = value.to_ary.pack(format)
        return bytes if bytes.bytesize == size && value.to_ary.size == bytes.unpack(format).size

        raise ArgumentError, "#{value.to_ary.size} values do not fill the type #{format}"
      end

      def decode(bytes) = bytes.unpack(format)
      def thaw(value) = Document.thaw(value)
      def accepts?(tag, length) = tag == self.tag && length == size

      private

      # As many zeros as any type may have, unpacked and packed again.
      def size_of(format)
        ("\0" * 65_536).b.unpack(format).pack(format).bytesize
      end
    end

    JSON_DOCUMENT = JSONDocument.new.freeze
    BYTES = Bytes.new.freeze
  end
  private_constant :Kind, :Document
end
