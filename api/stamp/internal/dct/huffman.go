package dct

import (
	"encoding/hex"
	"fmt"
)

// table is one Huffman table (ITU-T T.81, annex C): which code stands for which symbol.
type table struct {
	counts  [16]byte // of codes by length - 1
	symbols []byte

	fast [1 << fastBits]uint16 // by the next bits: length << 8 | symbol, or 0 when the code is longer
	last [17]int32             // by length: the first code that is longer, to the left in 16 bits
	base [17]int32             // by length: what to add to a code for its place in symbols

	code   [256]uint16 // by symbol
	length [256]uint8  // by symbol; 0 when it has no code
}

const fastBits = 12

func newTable(counts [16]byte, symbols []byte) (*table, error) {
	t := &table{counts: counts, symbols: symbols}
	code, at := int32(0), 0
	for length := 1; length <= 16; length++ {
		t.base[length] = int32(at) - code
		for range counts[length-1] {
			if at == len(symbols) || code >= 1<<length-1 { // all ones is no code
				return nil, fmt.Errorf("%w: Huffman table", ErrMalformed)
			}
			t.add(symbols[at], code, length)
			code, at = code+1, at+1
		}
		t.last[length] = code << (16 - length)
		code <<= 1
	}
	return t, nil
}

func (t *table) add(symbol byte, code int32, length int) {
	t.code[symbol], t.length[symbol] = uint16(code), uint8(length)
	if length > fastBits {
		return
	}
	spare := fastBits - length
	for i := range int32(1) << spare {
		t.fast[code<<spare|i] = uint16(length)<<8 | uint16(symbol)
	}
}

// standard returns the tables of annex K.3: DC and AC of luma, then of chroma. They have a code for every symbol
// that a baseline picture of eight bits can need.
func standard() ([4]*table, error) {
	var tables [4]*table
	for i, s := range [4]struct{ counts, symbols string }{
		{"00010501010101010100000000000000", "000102030405060708090a0b"}, // luma, DC
		{"0002010303020403050504040000017d", // luma, AC
			"01020300041105122131410613516107227114328191a1082342b1c11552d1f02433627282090a161718191a25262728" +
				"292a3435363738393a434445464748494a535455565758595a636465666768696a737475767778797a83848586878889" +
				"8a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9dae1e2" +
				"e3e4e5e6e7e8e9eaf1f2f3f4f5f6f7f8f9fa"},
		{"00030101010101010101010000000000", "000102030405060708090a0b"}, // chroma, DC
		{"00020102040403040705040400010277", // chroma, AC
			"000102031104052131061241510761711322328108144291a1b1c109233352f0156272d10a162434e125f11718191a26" +
				"2728292a35363738393a434445464748494a535455565758595a636465666768696a737475767778797a828384858687" +
				"88898a92939495969798999aa2a3a4a5a6a7a8a9aab2b3b4b5b6b7b8b9bac2c3c4c5c6c7c8c9cad2d3d4d5d6d7d8d9da" +
				"e2e3e4e5e6e7e8e9eaf2f3f4f5f6f7f8f9fa"},
	} {
		counts, err := hex.DecodeString(s.counts)
		if err != nil {
			return tables, err
		}
		symbols, err := hex.DecodeString(s.symbols)
		if err != nil {
			return tables, err
		}
		if tables[i], err = newTable([16]byte(counts), symbols); err != nil {
			return tables, err
		}
	}
	return tables, nil
}
