package pdffile

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Object is nil, bool, float64, String, Name, Array, Dict, Ref or *Stream. Keyword appears in content only.
type Object any

// The kinds of objects (ISO 32000-1, 7.3).
type (
	String  string
	Name    string // decoded, without the slash
	Array   []Object
	Dict    map[Name]Object
	Keyword string
	Ref     struct{ Number, Generation int }
)

// Stream is a dictionary and where its data lie.
type Stream struct {
	Dict
	From, Size int64 // as they are stored
}

// Append writes an object so that it reads back as itself. It does not write streams and keywords.
func Append(out []byte, o Object) []byte {
	switch o := o.(type) {
	case nil:
		return append(out, "null"...)
	case bool:
		return strconv.AppendBool(out, o)
	case float64:
		return strconv.AppendFloat(out, o, 'f', -1, 64)
	case String:
		return append(hex.AppendEncode(append(out, '<'), []byte(o)), '>')
	case Name:
		return appendName(out, o)
	case Ref:
		return fmt.Appendf(out, "%d %d R", o.Number, o.Generation)
	case Array:
		out = append(out, '[')
		for i, e := range o {
			if i > 0 {
				out = append(out, ' ')
			}
			out = Append(out, e)
		}
		return append(out, ']')
	case Dict:
		out = append(out, "<<"...)
		for _, key := range slices.Sorted(maps.Keys(o)) {
			out = append(Append(append(appendName(out, key), ' '), o[key]), ' ')
		}
		return append(out, ">>"...)
	}
	return append(out, "null"...)
}

func appendName(out []byte, n Name) []byte {
	out = append(out, '/')
	for i := range len(n) {
		if c := n[i]; c <= ' ' || c >= 0x7F || c == '#' || strings.IndexByte(delimiters, c) >= 0 {
			out = fmt.Appendf(out, "#%02X", c)
		} else {
			out = append(out, c)
		}
	}
	return out
}

// refs calls f with each reference inside an object.
func refs(o Object, f func(Ref)) {
	switch o := o.(type) {
	case Ref:
		f(o)
	case Array:
		for _, e := range o {
			refs(e, f)
		}
	case Dict:
		for _, e := range o {
			refs(e, f)
		}
	case *Stream:
		refs(o.Dict, f)
	}
}
