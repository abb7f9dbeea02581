package match

import (
	"regexp"
	"strings"
	"unicode"

	"dangan/archive"
)

// Kind says what somebody typed into the search box.
type Kind string

// Kinds of queries.
const (
	Empty    Kind = "empty"     // no letter and no digit
	IDNumber Kind = "id_number" // a full id number, 18 characters or the old 15
	Token    Kind = "token"     // the keyed hash of an id number, 64 hex digits
	RecordID Kind = "record_id"
	RefCode  Kind = "reference_code"
	Digits   Kind = "digits"
	Latin    Kind = "latin" // pinyin, initials, a foreign name
	Hanzi    Kind = "hanzi"
)

// Typed is a query with its folded parts.
type Typed struct {
	Kind  Kind
	Text  string   // folded
	Words []string // of Text, parted at blanks
	Key   string   // letters and digits of Text, nothing between
	HasID bool     // an id number stands in it, alone or among other words
}

var (
	codeStart = regexp.MustCompile(`^[a-z]\d{2}`)
	numeral   = regexp.MustCompile(`^\d+x?$`)
	idNumber  = regexp.MustCompile(`^(\d{17}[\dx]|\d{15})$`)
	token     = regexp.MustCompile(`^[0-9a-f]{64}$`)
	idInside  = regexp.MustCompile(`(^|[^a-z\d])(\d{17}[\dx]|\d{15})($|[^\dx])`)
)

// Classify folds a query and says what it looks like. Widths, blanks and dashes do
// not hide an id number.
func Classify(query string) Typed {
	text := Fold(query)
	q := Typed{Text: text, Words: strings.Fields(text), Key: archive.RefKey(text)}
	q.HasID = idInside.MatchString(text) || idInside.MatchString(joined(text))
	hanzi := strings.ContainsFunc(q.Key, func(r rune) bool { return unicode.Is(unicode.Han, r) })
	switch {
	case q.Key == "":
		q.Kind = Empty
	case idNumber.MatchString(q.Key):
		q.Kind, q.HasID = IDNumber, true
	case token.MatchString(q.Key):
		q.Kind, q.HasID = Token, false
	case archive.ValidID(strings.ToUpper(q.Key)):
		q.Kind = RecordID
	case looksLikeCode(q, hanzi):
		q.Kind = RefCode
	case numeral.MatchString(q.Key):
		q.Kind = Digits
	case hanzi:
		q.Kind = Hanzi
	default:
		q.Kind = Latin
	}
	return q
}

// joined closes the gaps people leave inside a number.
func joined(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || r == '-' {
			return -1
		}
		return r
	}, text)
}

// looksLikeCode: a fonds number starts with a letter and digits. A code may have
// Hanzi (办公室) in it, but then only as a part between its separators.
func looksLikeCode(q Typed, hanzi bool) bool {
	if !codeStart.MatchString(q.Key) {
		return false
	}
	_, err := archive.ParseRefCode(q.Text)
	return !hanzi || err == nil
}
