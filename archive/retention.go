package archive

import (
	"strconv"
	"strings"
)

// Retention is how long a record is kept (保管期限), written as DA/T 13-2022
// does: Y for ever, D<n> for n years.
type Retention string

// Permanent is Y, for ever (永久).
const Permanent Retention = "Y"

// Valid reports whether r is Y or D1 to D999 without a leading zero.
func (r Retention) Valid() bool {
	n, ok := r.Years()
	return ok && (n == 0 || string(r) == "D"+strconv.Itoa(n))
}

// Years is the term in years, 0 for a permanent record.
func (r Retention) Years() (int, bool) {
	if r == Permanent {
		return 0, true
	}
	text, ok := strings.CutPrefix(string(r), "D")
	if !ok || !digits(text) || len(text) > 3 || atoi(text) == 0 {
		return 0, false
	}
	return atoi(text), true
}

// Secrecy is the security classification (密级). State secrets must not enter
// this system at all.
type Secrecy string

// Unclassified and the internal grade are accepted; the three grades of the
// State Secrets Law are refused on deposit.
const (
	Unclassified Secrecy = ""
	Internal     Secrecy = "internal"     // 内部
	Confidential Secrecy = "confidential" // 秘密
	Secret       Secrecy = "secret"       // 机密
	TopSecret    Secrecy = "top_secret"   // 绝密
)

// ParseSecrecy reads a code or the Chinese word, with or without a term
// (机密★10年).
func ParseSecrecy(s string) (Secrecy, bool) {
	word, _, _ := strings.Cut(strings.TrimSpace(s), "★")
	switch strings.TrimSpace(word) {
	case "", "公开", "无":
		return Unclassified, true
	case "internal", "内部":
		return Internal, true
	case "confidential", "秘密":
		return Confidential, true
	case "secret", "机密":
		return Secret, true
	case "top_secret", "绝密":
		return TopSecret, true
	}
	return "", false
}

// StateSecret reports whether s is one of the three grades that are refused.
func (s Secrecy) StateSecret() bool {
	return s == Confidential || s == Secret || s == TopSecret
}

// Openness is whether the public may see a record (开放标识, DA/T 18-2022).
// Only the AND of retention, secrecy and openness ever opens one.
type Openness string

// NotReviewed is the default and counts as closed.
const (
	NotReviewed Openness = "not_reviewed" // 未审核
	Open        Openness = "open"         // 开放
	Controlled  Openness = "controlled"   // 控制
	Postponed   Openness = "postponed"    // 延期开放
)

// Valid reports whether o is one of the four words.
func (o Openness) Valid() bool {
	return o == NotReviewed || o == Open || o == Controlled || o == Postponed
}
