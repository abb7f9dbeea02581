package vault

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"filippo.io/age"
	"filippo.io/age/armor"
)

// Escrow says what was last sealed to a recipient, for the day on which the root
// key is lost.
type Escrow struct {
	Version int       `json:"version"` // the newest in it
	At      time.Time `json:"at"`
	To      string    `json:"to"` // the public key of the recipient
}

// SealTo seals the ring to an age recipient (age1…), as text that the program age
// opens too, and returns it with the ring that remembers having done so.
func (r Ring) SealTo(recipient string, now time.Time) (sealed []byte, noted Ring, err error) {
	to, err := age.ParseRecipients(strings.NewReader(recipient))
	if err != nil || len(to) != 1 {
		return nil, Ring{}, errors.New("this is no age recipient (age1…)")
	}
	noted = r
	noted.Escrow = &Escrow{Version: len(r.Versions), At: stamp(now), To: recipient}
	plain, err := noted.Encode()
	if err != nil {
		return nil, Ring{}, err
	}
	var text bytes.Buffer
	out := armor.NewWriter(&text)
	w, err := age.Encrypt(out, to...)
	if err == nil {
		_, err = w.Write(plain)
	}
	if err == nil {
		err = errors.Join(w.Close(), out.Close())
	}
	if err != nil {
		return nil, Ring{}, fmt.Errorf("seal key ring to recipient: %w", err)
	}
	return text.Bytes(), noted, nil
}

// OpenEscrow is the inverse of SealTo. identity is the text of a file with age
// identities; no error quotes it.
func OpenEscrow(sealed []byte, identity string) (Ring, error) {
	who, err := age.ParseIdentities(strings.NewReader(identity))
	if err != nil {
		return Ring{}, errors.New("there is no age identity (AGE-SECRET-KEY-1…)")
	}
	r, err := age.Decrypt(armor.NewReader(bytes.NewReader(sealed)), who...)
	if err != nil {
		return Ring{}, errors.New("the identity does not open the escrow, or this is no escrow")
	}
	plain, err := io.ReadAll(r)
	if err != nil {
		return Ring{}, fmt.Errorf("read escrow: %w", err)
	}
	return DecodeRing(plain)
}
