package policy

import (
	"time"

	"dangan/archive"
)

// SealedFor is how long a person may not hear of an access to his record: an inquiry
// must not be warned of. Purposes without an entry are heard of at once.
func SealedFor(p archive.PurposeCode) time.Duration {
	const day = 24 * time.Hour
	switch p {
	case archive.ForJustice:
		return 180 * day
	case archive.ForVetting:
		return 90 * day
	}
	return 0
}
