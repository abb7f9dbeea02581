package pdffile

import (
	"bufio"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// ErrMalformed is wrapped when a file is not what it should be, or more than this package will read.
var ErrMalformed = errors.New("malformed PDF")

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }

const (
	delimiters = "()<>[]{}/%"
	spaces     = "\x00\t\n\f\r "

	maxDepth = 40
	maxNodes = 1 << 20 // of one object
	maxToken = 1 << 20 // bytes
)

// lexer reads objects one after another (ISO 32000-1, 7.2 and 7.3).
type lexer struct {
	in    *bufio.Reader
	at    int64 // of the next byte
	nodes int
	// commented says that a comment was passed over: bytes that nothing shows.
	commented bool
}

func (l *lexer) next() (byte, error) {
	b, err := l.in.ReadByte()
	if err == nil {
		l.at++
	}
	return b, err
}

func (l *lexer) back() {
	if l.in.UnreadByte() == nil {
		l.at--
	}
}

// skip passes over white space and comments, and returns the first byte of what follows.
func (l *lexer) skip() (byte, error) {
	for {
		b, err := l.next()
		if err != nil {
			return 0, err
		}
		if b == '%' {
			l.commented = true
			for b != '\n' && b != '\r' {
				if b, err = l.next(); err != nil {
					return 0, err
				}
			}
		}
		if strings.IndexByte(spaces, b) < 0 {
			return b, nil
		}
	}
}

// closing is the end of an array or a dictionary.
type closing string

// object reads the next object; io.EOF when there is none. References are put together by their readers.
func (l *lexer) object(depth int) (Object, error) {
	if l.nodes++; depth > maxDepth || l.nodes > maxNodes {
		return nil, malformed("nested too deeply, or too large")
	}
	b, err := l.skip()
	if err != nil {
		return nil, err
	}
	switch b {
	case '/':
		return l.name()
	case '(':
		return l.literal()
	case '[':
		list, err := l.list(depth, "]")
		return Array(list), err
	case ']':
		return closing("]"), nil
	case '<', '>':
		return l.angle(b, depth)
	case ')', '{', '}':
		return nil, malformed("delimiter")
	}
	l.back()
	return l.word()
}

func (l *lexer) angle(b byte, depth int) (Object, error) {
	second, err := l.next()
	switch {
	case err != nil:
		return nil, unexpected(err)
	case second == b && b == '>':
		return closing(">>"), nil
	case b == '>':
		return nil, malformed("delimiter")
	case second == '<':
		return l.dict(depth)
	}
	l.back()
	return l.hexadecimal()
}

// list reads up to the closing delimiter.
func (l *lexer) list(depth int, end closing) ([]Object, error) {
	var list []Object
	for {
		o, err := l.object(depth + 1)
		if err != nil {
			return nil, unexpected(err)
		}
		switch o := o.(type) {
		case closing:
			if o != end {
				return nil, malformed("delimiter")
			}
			return list, nil
		case Keyword:
			n := len(list)
			if o != "R" || n < 2 {
				return nil, malformed("keyword in an object")
			}
			ref, err := reference(list[n-2], list[n-1])
			if err != nil {
				return nil, err
			}
			list = append(list[:n-2], ref)
		default:
			list = append(list, o)
		}
	}
}

func reference(number, generation Object) (Ref, error) {
	n, err := whole(number, maxObjects)
	if err != nil {
		return Ref{}, err
	}
	g, err := whole(generation, 65535)
	return Ref{n, g}, err
}

// whole is a number from 0 to most.
func whole(o Object, most int) (int, error) {
	f, ok := o.(float64)
	if !ok || f < 0 || f > float64(most) || f != float64(int(f)) {
		return 0, malformed("number")
	}
	return int(f), nil
}

func (l *lexer) dict(depth int) (Object, error) {
	list, err := l.list(depth, ">>")
	if err != nil {
		return nil, err
	}
	if len(list)%2 != 0 {
		return nil, malformed("dictionary")
	}
	d := make(Dict, len(list)/2)
	for i := 0; i < len(list); i += 2 {
		key, ok := list[i].(Name)
		if _, twice := d[key]; !ok || twice { // two readers could take different ones
			return nil, malformed("dictionary")
		}
		d[key] = list[i+1]
	}
	return d, nil
}

func (l *lexer) name() (Object, error) {
	raw, err := l.regular()
	if err != nil {
		return nil, err
	}
	if !strings.Contains(raw, "#") {
		return Name(raw), nil
	}
	var name []byte
	for i := 0; i < len(raw); i++ {
		if raw[i] == '#' && i+2 < len(raw) {
			if b, err := hex.DecodeString(raw[i+1 : i+3]); err == nil {
				name = append(name, b[0])
				i += 2
				continue
			}
		}
		name = append(name, raw[i])
	}
	return Name(name), nil
}

// regular reads regular characters.
func (l *lexer) regular() (string, error) {
	var out []byte
	for len(out) < maxToken {
		b, err := l.next()
		if err == io.EOF {
			return string(out), nil
		}
		if err != nil {
			return "", err
		}
		if strings.IndexByte(delimiters, b) >= 0 || strings.IndexByte(spaces, b) >= 0 {
			l.back()
			return string(out), nil
		}
		out = append(out, b)
	}
	return "", malformed("token")
}

func (l *lexer) word() (Object, error) {
	w, err := l.regular()
	if err != nil {
		return nil, err
	}
	switch w {
	case "true":
		return true, nil
	case "false":
		return false, nil
	case "null":
		return nil, nil
	}
	if strings.Trim(w, "+-.0123456789") == "" {
		f, err := strconv.ParseFloat(w, 64)
		if err != nil {
			return nil, malformed("number")
		}
		return f, nil
	}
	return Keyword(w), nil
}

func (l *lexer) hexadecimal() (Object, error) {
	var digits []byte
	for len(digits) < maxToken {
		b, err := l.next()
		switch {
		case err != nil:
			return nil, unexpected(err)
		case b == '>':
			if len(digits)%2 == 1 {
				digits = append(digits, '0')
			}
			n, err := hex.Decode(digits, digits)
			if err != nil {
				return nil, malformed("string")
			}
			return String(digits[:n]), nil
		case strings.IndexByte(spaces, b) < 0:
			digits = append(digits, b)
		}
	}
	return nil, malformed("string")
}

func (l *lexer) literal() (Object, error) {
	var out []byte
	for depth := 1; len(out) < maxToken; {
		b, err := l.next()
		if err != nil {
			return nil, unexpected(err)
		}
		switch b {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return String(out), nil
			}
		case '\\':
			if out, err = l.escape(out); err != nil {
				return nil, unexpected(err)
			}
			continue
		case '\r': // an end of line is one character
			if b, err = l.next(); err == nil && b != '\n' {
				l.back()
			}
			b = '\n'
		}
		out = append(out, b)
	}
	return nil, malformed("string")
}

func (l *lexer) escape(out []byte) ([]byte, error) {
	b, err := l.next()
	if err != nil {
		return nil, err
	}
	if i := strings.IndexByte("nrtbf", b); i >= 0 {
		return append(out, "\n\r\t\b\f"[i]), nil
	}
	switch {
	case b == '\r':
		if b, err = l.next(); err == nil && b != '\n' {
			l.back()
		}
		return out, nil
	case b == '\n':
		return out, nil
	case b < '0' || b > '7':
		return append(out, b), nil
	}
	value := int(b - '0')
	for range 2 {
		if b, err = l.next(); err != nil {
			return nil, err
		}
		if b < '0' || b > '7' {
			l.back()
			break
		}
		value = value<<3 | int(b-'0')
	}
	return append(out, byte(value)), nil
}

// unexpected is the error for a file that ends within an object.
func unexpected(err error) error {
	if err == io.EOF {
		return malformed("it ends within an object")
	}
	return err
}

// Content calls f with the operators of a page's content and what stands before them.
func Content(content io.Reader, f func(operator Keyword, operands []Object) error) error {
	l := lexer{in: bufio.NewReader(content)}
	var operands []Object
	for {
		o, err := l.object(0)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		switch o := o.(type) {
		case closing:
			return malformed("delimiter")
		case Keyword:
			if err := f(o, operands); err != nil {
				return err
			}
			operands = operands[:0]
		default:
			operands = append(operands, o)
		}
	}
}
