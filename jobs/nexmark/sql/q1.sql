select auction, bidder, cast(0.908 as decimal(3,3)) * cast(price as decimal(15,0)) as price, date_time as dt, extra
from bid
