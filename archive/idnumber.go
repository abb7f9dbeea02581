package archive

import (
	"strings"
	"unicode"
)

// IDType says what kind of identity document a number belongs to (证件类型).
type IDType string

// Document kinds; the list follows the marriage-registration rules for who may
// ask (domain.md 2.4).
const (
	IDResident  IDType = "resident" // 居民身份证, GB 11643-1999
	IDPassport  IDType = "passport"
	IDHKMacao   IDType = "hk_macao_permit"
	IDTaiwan    IDType = "taiwan_permit"
	IDForeignPR IDType = "foreign_pr"
	IDSoldier   IDType = "soldier"
)

// IDNumber is the number of an identity document. Original is what the record
// says and is never changed; Number is the form used for equality. A resident
// number that fails its check is kept with Flagged set, because old records
// hold such numbers.
type IDNumber struct {
	Type     IDType `json:"type,omitempty"`
	Original string `json:"original,omitempty"`
	Number   string `json:"number,omitempty"`
	Flagged  bool   `json:"flagged,omitempty"`
}

// NewIDNumber normalises text. For a resident number: full-width digits become
// plain, x becomes X, and the old 15-digit form gets its century and check
// character (GB 11643-1999).
func NewIDNumber(t IDType, text string) IDNumber {
	if t == "" {
		t = IDResident
	}
	id := IDNumber{Type: t, Original: text, Number: plain(text)}
	if id.Number == "" {
		return IDNumber{}
	}
	if t != IDResident {
		return id
	}
	if len(id.Number) == 15 && digits(id.Number) {
		body := id.Number[:6] + "19" + id.Number[6:]
		id.Number = body + string(CheckCharacter(body))
	}
	id.Flagged = !validResident(id.Number)
	return id
}

// plain maps full-width forms to ASCII, drops blanks and raises letters.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if 0xFF01 <= r && r <= 0xFF5E {
			r -= 0xFEE0
		}
		if unicode.IsSpace(r) || r == '\u3000' {
			return -1
		}
		return unicode.ToUpper(r)
	}, s)
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// CheckCharacter computes the 18th character for the 17 digits of body
// (ISO 7064 MOD 11-2, as GB 11643-1999 has it).
func CheckCharacter(body string) byte {
	weights := [17]int{7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2}
	sum := 0
	for i, w := range weights {
		sum += w * int(body[i]-'0')
	}
	return "10X98765432"[sum%11]
}

func validResident(n string) bool {
	if len(n) != 18 || !digits(n[:17]) || n[17] != CheckCharacter(n[:17]) {
		return false
	}
	d := Date{Year: atoi(n[6:10]), Month: atoi(n[10:12]), Day: atoi(n[12:14])}
	return d.Month > 0 && d.Day > 0 && d.real()
}

// IsZero reports whether there is no number.
func (id IDNumber) IsZero() bool { return id.Number == "" && id.Original == "" }

// Key is the text whose keyed hash stands for this number everywhere outside
// the sealed record.
func (id IDNumber) Key() string { return string(id.Type) + ":" + id.Number }

// Masked shows the first six and last four characters of a long number, and
// less of a short one: 510822********771X.
func (id IDNumber) Masked() string {
	n := len(id.Number)
	if n < 12 {
		return strings.Repeat("*", n)
	}
	return id.Number[:6] + strings.Repeat("*", n-10) + id.Number[n-4:]
}
