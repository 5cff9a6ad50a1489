<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>FaceCloak</name>
    <message>
        <source>{strength} of the designed perturbation</source>
        <translation>{strength} des entworfenen Störmusters</translation>
    </message>
    <message>
        <source>&amp;Strength</source>
        <translation>&amp;Stärke</translation>
    </message>
    <message>
        <source>&amp;Camera</source>
        <translation>&amp;Kamera</translation>
    </message>
    <message>
        <source>&amp;Resolution</source>
        <translation>&amp;Auflösung</translation>
    </message>
    <message>
        <source>Pert&amp;urbation</source>
        <translation>Störm&amp;uster</translation>
    </message>
    <message>
        <source>When &amp;nobody is there</source>
        <translation>Wenn &amp;niemand da ist</translation>
    </message>
    <message>
        <source>When a classifier still re&amp;ads the face</source>
        <translation>Wenn ein Klassifikator das Gesicht noch &amp;liest</translation>
    </message>
    <message>
        <source>S&amp;tart in</source>
        <translation>S&amp;tarten</translation>
    </message>
    <message>
        <source>&amp;Language (from the next start)</source>
        <translation>S&amp;prache (ab dem nächsten Start)</translation>
    </message>
    <message>
        <source>the demo portrait</source>
        <translation>das Vorführbild</translation>
    </message>
    <message>
        <source>show the still picture</source>
        <translation>Standbild zeigen</translation>
    </message>
    <message>
        <source>show the room</source>
        <translation>den Raum zeigen</translation>
    </message>
    <message>
        <source>tell me</source>
        <translation>es mir sagen</translation>
    </message>
    <message>
        <source>the window</source>
        <translation>im Fenster</translation>
    </message>
    <message>
        <source>the tray only</source>
        <translation>nur im Infobereich</translation>
    </message>
    <message>
        <source>of the desktop</source>
        <translation>die des Desktops</translation>
    </message>
    <message>
        <source>reads {clean}, from what is sent {sent}</source>
        <translation>liest {clean}, aus dem gesendeten Bild {sent}</translation>
    </message>
    <message>
        <source>Hidden: the camera is off</source>
        <translation>Versteckt: die Kamera ist aus</translation>
    </message>
    <message>
        <source>A classifier still reads this face, and nothing stronger is allowed.</source>
        <translation>Ein Klassifikator liest dieses Gesicht noch, und Stärkeres ist nicht erlaubt.</translation>
    </message>
    <message>
        <source>The strength was raised to {strength}, because a classifier read this face.</source>
        <translation>Die Stärke wurde auf {strength} erhöht, weil ein Klassifikator dieses Gesicht las.</translation>
    </message>
    <message>
        <source>No face is found.</source>
        <translation>Es wird kein Gesicht gefunden.</translation>
    </message>
    <message>
        <source>Protected</source>
        <translation>Geschützt</translation>
    </message>
    <message>
        <source>Shielded: the call sees a still picture</source>
        <translation>Abgeschirmt: im Gespräch ist ein Standbild zu sehen</translation>
    </message>
    <message>
        <source>PROTECTION IS OFF: the call sees your face as it is</source>
        <translation>SCHUTZ IST AUS: im Gespräch ist Ihr Gesicht zu sehen, wie es ist</translation>
    </message>
    <message>
        <source>Waiting: the camera is off until a call shows it</source>
        <translation>Wartet: die Kamera ist aus, bis ein Gespräch sie zeigt</translation>
    </message>
    <message>
        <source>fooled {percent} % of the last 10 s</source>
        <translation>in {percent} % der letzten 10 s getäuscht</translation>
    </message>
    <message>
        <source>{fps} frames per second</source>
        <translation>{fps} Bilder je Sekunde</translation>
    </message>
    <message>
        <source>{ms} ms delay</source>
        <translation>{ms} ms Verzögerung</translation>
    </message>
    <message>
        <source>{db} dB PSNR of the face</source>
        <translation>{db} dB PSNR des Gesichts</translation>
    </message>
    <message>
        <source>Open &amp;window</source>
        <translation>&amp;Fenster öffnen</translation>
    </message>
    <message>
        <source>&amp;Protect my face</source>
        <translation>Mein &amp;Gesicht schützen</translation>
    </message>
    <message>
        <source>&amp;Hide me</source>
        <translation>&amp;Verstecken</translation>
    </message>
    <message>
        <source>&amp;Quit</source>
        <translation>&amp;Beenden</translation>
    </message>
    <message>
        <source>Show your face as it is?</source>
        <translation>Ihr Gesicht zeigen, wie es ist?</translation>
    </message>
    <message>
        <source>Everybody in the call, and every program that watches it, can then read your face.</source>
        <translation>Alle im Gespräch, und jedes Programm, das zusieht, können dann Ihr Gesicht lesen.</translation>
    </message>
    <message>
        <source>&amp;Keep protecting</source>
        <translation>&amp;Weiter schützen</translation>
    </message>
    <message>
        <source>Switch &amp;off</source>
        <translation>&amp;Ausschalten</translation>
    </message>
    <message>
        <source>&amp;Before (hold)</source>
        <translation>V&amp;orher (halten)</translation>
    </message>
    <message>
        <source>&amp;Difference x 10 (hold)</source>
        <translation>&amp;Differenz x 10 (halten)</translation>
    </message>
    <message>
        <source>Status</source>
        <translation>Zustand</translation>
    </message>
    <message>
        <source>Start with the des&amp;ktop</source>
        <translation>Mit dem D&amp;esktop starten</translation>
    </message>
    <message>
        <source>How often {name} was fooled</source>
        <translation>Wie oft {name} getäuscht wurde</translation>
    </message>
    <message>
        <source>angry</source>
        <translation>wütend</translation>
    </message>
    <message>
        <source>disgust</source>
        <translation>angewidert</translation>
    </message>
    <message>
        <source>fear</source>
        <translation>ängstlich</translation>
    </message>
    <message>
        <source>happy</source>
        <translation>fröhlich</translation>
    </message>
    <message>
        <source>sad</source>
        <translation>traurig</translation>
    </message>
    <message>
        <source>negative</source>
        <translation>negativ</translation>
    </message>
    <message>
        <source>positive</source>
        <translation>positiv</translation>
    </message>
    <message>
        <source>surprise</source>
        <translation>überrascht</translation>
    </message>
    <message>
        <source>neutral</source>
        <translation>neutral</translation>
    </message>
</context>
</TS>
